"""What is served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.models import ModelFacts, find_model, load_models
from breakeven.settings.fields import (
    COMMIT,
    Conflict,
    Count,
    Digits,
    Form,
    Group,
    Integer,
    List,
    OptionalCommitHash,
    matching,
    refuse,
)
from breakeven.settings.own_models import FOLDER, digest_of, own_facts, own_models

MOST_ADAPTERS = 16
"""Each holds memory on every GPU, whether it is asked or not."""

_QUANTIZED = ("fp8", "w8a8", "w8a16", "w4a16", "awq", "gptq", "nvfp4", "mxfp4", "int8", "int4")
"""What names of repositories say of quantized weights."""

_REPOSITORY = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
_DEFAULT = "qwen2.5-7b-instruct"
UNKNOWN_REVISION = "0" * 40
"""Stands for a commit that is not known, in what is only priced."""

_ADAPTER = (
    r"(?P<name>[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?)"
    rf"=(?P<repository>{_REPOSITORY})@(?P<revision>[0-9a-f]{{40}})"
)


class AdapterSettings(BaseModel):
    """A LoRA adapter; clients ask for it by its name."""

    model_config = ConfigDict(frozen=True)

    name: str
    repository: str
    revision: str


def _adapter(text: str) -> AdapterSettings:
    found = re.fullmatch(_ADAPTER, text, re.ASCII)
    if found is None:
        raise ValueError(text)
    return AdapterSettings(
        name=found["name"], repository=found["repository"], revision=found["revision"]
    )


def _distinct(adapters: tuple[AdapterSettings, ...]) -> tuple[AdapterSettings, ...]:
    names = [adapter.name for adapter in adapters]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        refuse(f"two adapters {', '.join(twice)}", "Allowed: each name once")
    if len(adapters) > MOST_ADAPTERS:
        refuse(f"{len(adapters)} adapters", f"Allowed: up to {MOST_ADAPTERS}")
    return adapters


_AdapterText = Annotated[
    AdapterSettings,
    Form(
        _adapter,
        allowed="NAME=OWNER/REPOSITORY@COMMIT, the name in lower case, the commit in 40 "
        "hexadecimal digits",
        pattern=r"[a-z0-9.-]+=[\w.-]+/[\w.-]+@[0-9a-f]{40}",
    ),
]


def _known_name(text: str) -> str:
    if load_models().name_of(text) != text and text not in own_models():
        raise ValueError(text)
    return text


class ModelSettings(Group):
    """What is served. `previous_revision` is None where no other weights are kept."""

    name: Annotated[
        str,
        Form(_known_name, words=load_models, pattern=r"[a-z0-9][a-z0-9.-]*"),
    ] = Field(
        default=_DEFAULT,
        description="Model to serve: a preset (docs/models.md), or your own model in "
        "stacks/models/, written by `breakeven model add`",
    )
    stated_repository: Annotated[
        str, matching(_REPOSITORY, "OWNER/NAME of a Hugging Face repository", empty="")
    ] = Field(
        default="",
        alias="repository",
        description="Hugging Face repository of its weights, as safetensors; empty for the "
        "preset's",
    )
    stated_revision: Annotated[str, matching(r"[0-9a-f]{40}", COMMIT, empty="")] = Field(
        default="",
        alias="revision",
        description="Commit of that repository, 40 hexadecimal digits; branches and tags move, so "
        "they are rejected. Empty for the preset's; if that has none, a deployment requires one, "
        "but an estimate does not",
    )
    config_digest: Annotated[
        str, matching(r"sha256:[0-9a-f]{64}", "sha256: and 64 hexadecimal digits", empty="")
    ] = Field(
        default="",
        description="SHA-256 of the files of your own model in stacks/models/OWNER--NAME; "
        "`breakeven model add` writes both",
    )
    previous_revision: OptionalCommitHash = Field(
        default=None,
        description="Previous commit whose weights are kept, so that a rollback needs no "
        "download; empty for none",
    )
    stated_precision: Literal[
        "checkpoint", "bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4", "mixed"
    ] = Field(
        default="checkpoint",
        alias="precision",
        description="Weights in GPU memory: checkpoint (as the repository stores them), or one of "
        "the model's precisions; fp8 of a bf16 checkpoint is quantized by vLLM while loading, int8"
        " and int4 are already quantized in the repository",
    )
    max_length: Count = Field(
        default=8192,
        ge=256,
        le=1_048_576,
        description="Maximum request length in tokens, input and output together",
    )
    images_per_request: Integer = Field(
        default=4,
        ge=0,
        le=64,
        description="Maximum images per request, for vision models: inline, as data: URLs; other "
        "URLs are rejected, because the engine fetches nothing. Include their tokens in "
        "traffic.inputTokens",
    )
    lora_adapters: Annotated[tuple[_AdapterText, ...], List, AfterValidator(_distinct)] = Field(
        default=(),
        description="LoRA adapters served with the model, as NAME=OWNER/REPOSITORY@COMMIT; clients "
        "select them by name",
    )
    lora_max_rank: Annotated[Literal[8, 16, 32, 64, 128, 256, 320, 512], Digits] = Field(
        default=16,
        description="Largest rank of the adapters; vLLM supports these values",
    )

    @property
    def own_folder(self) -> Path | None:
        """Folder of the model's config.json, where it is one of the user's own."""
        if load_models().name_of(self.name) is not None and not self.config_digest:
            return None
        return own_models().get(self.name)

    @property
    def served(self) -> tuple[str, ...]:
        """Names that requests may ask for: the model's, and its adapters'."""
        return (self.facts.name, *(adapter.name for adapter in self.lora_adapters))

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model; of one that cannot be read, what is known of the default."""
        folder = self.own_folder
        if folder is not None:
            try:
                return own_facts(folder)
            except ModelConfigError:
                return find_model(_DEFAULT)
        return find_model(self.name if load_models().name_of(self.name) else _DEFAULT)

    @property
    def repository(self) -> str:
        """Repository of the weights."""
        return self.stated_repository or self.facts.repository

    @property
    def revision(self) -> str:
        """Commit of the weights; `UNKNOWN_REVISION` where none is known."""
        facts = self.facts
        is_preset = self.repository.lower() == facts.repository.lower()
        return self.stated_revision or (facts.revision if is_preset else "") or UNKNOWN_REVISION

    @property
    def precision(self) -> str:
        """Precision of the weights in GPU memory; of a value that cannot be, the checkpoint's."""
        facts = self.facts
        return self._asked if self._asked in facts.precisions else facts.checkpoint.precision

    @property
    def _asked(self) -> str:
        # gpt-oss was stated as int4 before its precision had a name of its own.
        stored = self.facts.checkpoint.precision
        same = self.stated_precision == "int4" and stored == "mxfp4"
        return stored if same or self.stated_precision == "checkpoint" else self.stated_precision

    @property
    def quantizes_while_loading(self) -> bool:
        """Whether vLLM is asked to quantize.

        It refuses to where the checkpoint declares a method, as repositories do that have one in
        their name.
        """
        name = self.repository.rpartition("/")[2].lower()
        return (
            self.precision == "fp8"
            and not self.facts.checkpoint.method
            and not any(method in name for method in _QUANTIZED)
        )

    @property
    def repository_bytes(self) -> int:
        """Size of the weight files in the repository, in bytes.

        What vLLM quantizes while loading is there in bf16; and what it serves in 16 bits may be
        there in 32.
        """
        facts = self.facts
        kept = facts.weight_bytes("bf16" if self.quantizes_while_loading else self.precision)
        return 2 * kept if facts.checkpoint.is_float32 else kept

    @property
    def adapter_bytes(self) -> int:
        """What all adapters take, in bytes: on the GPUs of a replica, and in the volume at most."""
        return len(self.lora_adapters) * self.facts.adapter_bytes(self.lora_max_rank)

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what cannot be used together."""
        facts = self.facts
        yield from self._own_conflicts()
        if self.max_length > facts.max_model_length:
            yield Conflict(
                "model.maxLength",
                f"{self.max_length:,} tokens, but {facts.name} supports {facts.max_model_length:,}",
                f"Allowed: up to {facts.max_model_length:,}",
                ("model.name",),
            )
        if self._asked not in facts.precisions:
            stored = facts.checkpoint
            declared = f" ({stored.method})" if stored.method else ""
            yield Conflict(
                "model.precision",
                f"{self.stated_precision}, but the checkpoint of {facts.name} is stored in "
                f"{stored.precision}{declared}",
                f"Allowed: checkpoint, {', '.join(facts.precisions)}; for another precision, name "
                "a repository that has it",
                ("model.name",),
            )
        if self.previous_revision is not None and self.previous_revision == self.revision:
            yield Conflict(
                "model.previousRevision",
                "the same commit as model.revision",
                "Allowed: the commit to roll back to, or empty",
                ("model.revision",),
            )
        if self.lora_adapters:
            yield from self._adapter_conflicts()
        if facts.architecture.endswith("ForTokenClassification"):
            yield Conflict(
                "model.name",
                f"{facts.name} ({facts.architecture}) puts labels on single tokens",
                "Allowed: a model that generates text, embeds texts, or scores pairs of them",
            )

    def _own_conflicts(self) -> Iterator[Conflict]:
        key, folder = "model.configDigest", self.own_folder
        if folder is None:
            if self.config_digest:
                yield Conflict(
                    key,
                    f"a digest, but {FOLDER} has no folder for {self.name}",
                    "Run: breakeven model add OWNER/NAME. A preset needs no digest",
                    ("model.name",),
                )
            return
        try:
            own_facts(folder)
            found = digest_of(folder)
        except (ModelConfigError, OSError) as error:
            yield Conflict(key, str(error), "Write it again: breakeven model add OWNER/NAME")
            return
        if found != self.config_digest:
            stated = self.config_digest or "not stated"
            yield Conflict(
                key,
                f"{stated}, but the files in {FOLDER / folder.name} have {found}",
                "Review the change, then state the new digest",
            )

    def _adapter_conflicts(self) -> Iterator[Conflict]:
        name = self.facts.name
        if self.facts.is_mixture_of_experts:
            yield Conflict(
                "model.loraAdapters",
                f"adapters of {name}, a mixture of experts",
                "Allowed with dense models; the memory of adapters for experts is unknown. "
                "Choose another model, or leave them out",
                ("model.name",),
            )
        if name in {adapter.name for adapter in self.lora_adapters}:
            yield Conflict(
                "model.loraAdapters",
                f"an adapter called {name}, like the model",
                "Choose another name: clients select models and adapters by name",
                ("model.name",),
            )
