"""How vLLM runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from breakeven.catalog.engines import (
    EngineRelease,
    deployed_release,
    oldest_driver,
    release_for,
)
from breakeven.settings.fields import (
    DIGEST,
    HOST_ALLOWED,
    IMAGE,
    Boolean,
    Conflict,
    Digits,
    Form,
    Group,
    Integer,
    Number,
    ObjectName,
    OptionalNumber,
    refuse,
)
from breakeven.settings.vllm.arguments import (
    AUTO,
    Arguments,
    Parser,
    Variables,
    argument_conflicts,
    batched_tokens_of,
    parser_conflict,
    step_conflicts,
)
from breakeven.settings.vllm.chat_template import ChatTemplate
from breakeven.settings.vllm.disaggregation import DisaggregationSettings
from breakeven.settings.vllm.techniques import SpeculationSettings

OLDEST_ENGINE = (0, 18)
"""The first vLLM that finishes running requests when it stops."""

_DEPLOYED = deployed_release().images["nvidia"]
_IMAGE = rf"{IMAGE}:v\d+\.\d+\.\d+[\w.-]*{DIGEST}"


def _version(image: str) -> tuple[int, ...]:
    found = re.search(r":v(\d+)\.(\d+)\.(\d+)", image)
    return tuple(int(part) for part in found.groups()) if found else ()


def _engine_image(text: str) -> str:
    if re.fullmatch(_IMAGE, text, re.ASCII) is None:
        raise ValueError(text)
    version = _version(text)
    if version < OLDEST_ENGINE:
        refuse(
            f"vLLM {'.'.join(map(str, version))} cannot finish running requests when it stops",
            f"Allowed: {'.'.join(map(str, OLDEST_ENGINE))} or newer",
        )
    return text


_EngineImage = Annotated[
    str,
    Form(
        _engine_image,
        allowed="HOST/PATH:vX.Y.Z@sha256:DIGEST; both tag and digest, never latest; "
        + HOST_ALLOWED,
        pattern=_IMAGE,
    ),
]


class EngineSettings(Group):
    """How vLLM runs.

    `pipeline_parallel` is the nodes of a replica; `longest_request_seconds` bounds the drain of one
    that stops.
    """

    image: _EngineImage = Field(
        default=_DEPLOYED.reference,
        description="vLLM image with version tag and digest; 0.18 or newer (drain), amd64. The "
        f"default needs NVIDIA driver {oldest_driver(_DEPLOYED.reference)} or newer (CUDA "
        f"{_DEPLOYED.cuda}); docs/vllm.md has the others",
    )
    tensor_parallel: Annotated[Literal[1, 2, 4, 8], Digits] = Field(
        default=1,
        description="GPUs of one replica; 1, 2, 4, or 8; with engine.pipelineParallel, on each of "
        "its nodes",
    )
    pipeline_parallel: Integer = Field(
        default=1,
        ge=1,
        le=8,
        description="Nodes of one replica, 1 to 8; above 1 a LeaderWorkerSet runs it, and "
        "engine.tensorParallel equals pool.gpusPerNode",
    )
    gpu_memory_utilization: Number = Field(
        default=Decimal("0.90"),
        ge=Decimal("0.50"),
        le=Decimal("0.95"),
        description="Share of each GPU's memory that vLLM may use",
    )
    longest_request_seconds: Integer = Field(
        default=120,
        ge=10,
        le=3600,
        description="Seconds that a stopping replica gives running requests to finish; longer "
        "streams end with an error",
    )
    api_key_secret: ObjectName = Field(
        default="vllm-api-key",
        description='Name of an existing Secret with key "api-key", which clients send as a '
        "bearer token",
    )
    measured_output_tokens_per_second: OptionalNumber = Field(
        default=None,
        ge=Decimal("0.1"),
        le=Decimal("1e7"),
        description="Your own measurement of one replica at this input and output length; "
        "overrides every estimate",
    )

    measured_texts_per_second: OptionalNumber = Field(
        default=None,
        ge=Decimal("0.1"),
        le=Decimal("1e7"),
        description="Your own measurement of one replica of an embedding or reranking model, in "
        "texts (or pairs) of traffic.inputTokens a second; overrides every estimate",
    )
    tool_calling: Parser = Field(
        default=AUTO,
        description="Tool call parser: auto (from the model's recipe or family), off, or the name "
        "of a vLLM parser; without one, vLLM rejects tool_choice auto",
    )
    reasoning: Parser = Field(
        default=AUTO,
        description="Reasoning parser: auto (from the model's recipe), off, or the name of a vLLM "
        "parser",
    )
    max_requests: Integer | None = Field(
        default=None,
        ge=1,
        le=8192,
        description="Maximum number of requests that a replica runs at once (--max-num-seqs); "
        "empty for vLLM's default: 1024 on GPUs of 70 GiB or more except A100, otherwise 256",
    )
    kv_cache_precision: Literal["auto", "fp8"] = Field(
        default="auto",
        description="KV cache precision: auto (16 bits, or as the checkpoint specifies) or fp8 "
        "(half the memory; requires GPUs with fp8 units)",
    )
    kv_offload_gibibytes: Integer = Field(
        default=0,
        ge=0,
        le=4096,
        description="Node memory for parts of a replica's KV cache that no longer fit on its "
        "GPUs, in GiB; 0 for none",
    )
    expert_parallel: Boolean = Field(
        default=False,
        description="MoE models: place whole experts on each GPU of a replica, instead of a part "
        "of every expert",
    )
    data_parallel_attention: Boolean = Field(
        default=False,
        description="With expertParallel: each GPU computes attention for its own requests and "
        "holds only their cache; for models with latent attention (MLA)",
    )
    speculation: SpeculationSettings = Field(
        default=SpeculationSettings(),
        description="Speculative decoding",
    )
    disaggregation: DisaggregationSettings = Field(
        default=DisaggregationSettings(),
        description="Prefill/decode disaggregation",
    )
    chat_template: ChatTemplate = Field(
        default=AUTO,
        description="Chat template: auto (the recipe's if there is one and tool calls are on, "
        "otherwise the model's), model (from its repository), a vLLM template in the catalog, "
        "such as tool_chat_template_gemma4, or a file NAME.jinja in stacks/templates/",
    )
    args: Arguments = Field(
        default={},
        description="Additional flags of `vllm serve` by name, such as seed: 1 or "
        "enable-prefix-caching: true; checked against the flags of the version and by the policy "
        "packs",
    )
    env: Variables = Field(
        default={}, description="Additional environment variables of the engine, without secrets"
    )

    @property
    def release(self) -> EngineRelease:
        """The release whose flags and parsers are taken for those of the image."""
        return release_for(self.version)

    def conflicts(self) -> Iterator[Conflict]:
        """Yields flags and parsers that the engine does not take."""
        release = self.release
        yield from self.speculation.conflicts()
        yield from self.disaggregation.conflicts()
        yield from self._technique_conflicts()
        yield from argument_conflicts(self.args, self.version, release)
        yield from step_conflicts(self.args, self.max_requests)
        yield from parser_conflict(
            "engine.toolCalling", self.tool_calling, release.tool_parsers, release
        )
        yield from parser_conflict(
            "engine.reasoning", self.reasoning, release.reasoning_parsers, release
        )

    def _technique_conflicts(self) -> Iterator[Conflict]:
        if self.data_parallel_attention and not self.expert_parallel:
            yield Conflict(
                "engine.dataParallelAttention",
                "true without engine.expertParallel: each GPU would hold the whole model",
                "Set engine.expertParallel to true as well; or add replicas instead, each with a "
                "whole model",
                ("engine.expertParallel",),
            )
        if self.expert_parallel and self.tensor_parallel == 1:
            yield Conflict(
                "engine.expertParallel",
                "true with engine.tensorParallel 1: there is one GPU for all experts",
                "Allowed with engine.tensorParallel 2, 4, or 8",
                ("engine.tensorParallel",),
            )
        if self.pipeline_parallel > 1:
            yield from self._several_nodes_conflicts()

    def _several_nodes_conflicts(self) -> Iterator[Conflict]:
        """Refuses what was not looked at, or does not work, on a replica of several nodes."""
        stated = {
            "engine.dataParallelAttention": self.data_parallel_attention,
            "engine.speculation.method": self.speculation.is_on,
            "engine.kvOffloadGibibytes": self.kv_offload_gibibytes > 0,
        }
        for key, is_on in stated.items():
            if is_on:
                yield Conflict(
                    key,
                    f"stated with engine.pipelineParallel {self.pipeline_parallel}",
                    "Allowed with engine.pipelineParallel 1; leave it out, or choose GPUs so "
                    "that one node holds the model",
                    ("engine.pipelineParallel",),
                )

    @property
    def batched_tokens(self) -> int | None:
        """Most tokens of an engine step, as `args` states; None for vLLM's default."""
        return batched_tokens_of(self.args)

    @property
    def oldest_driver(self) -> int | None:
        """Oldest branch of NVIDIA's driver that the image runs with; None if not known."""
        return oldest_driver(self.image)

    @property
    def version(self) -> tuple[int, ...]:
        """Of vLLM, as the image's tag has it."""
        return _version(self.image)
