"""What prefill/decode disaggregation needs, and why it is estimated and not deployed."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings

_PREFILL = "engine.disaggregation.prefillReplicas"


def disaggregation_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields what does not go together with prefill and decode on separate replicas."""
    stated, replicas = settings.engine.disaggregation, settings.replicas
    if not stated.is_on:
        return
    if replicas.autoscaling:
        yield Conflict(
            _PREFILL,
            f"{stated.prefill_replicas} with replicas.autoscaling: one target cannot scale two "
            "groups",
            "Set replicas.autoscaling to false, and replicas.min and replicas.max to the replicas "
            "of both groups together",
            ("replicas.autoscaling",),
        )
    elif stated.prefill_replicas >= replicas.min:
        yield Conflict(
            _PREFILL,
            f"{stated.prefill_replicas} of {replicas.min} replicas, so that no replica decodes",
            f"Allowed: fewer than replicas.min, that is 0 to {replicas.min - 1}",
            ("replicas.min", "replicas.max"),
        )
    if not settings.model.facts.generates:
        yield Conflict(
            _PREFILL,
            f"{stated.prefill_replicas}, but {settings.model.facts.name} does not decode",
            "Allowed: 0",
            ("model.name",),
        )
        return
    for key, found in _untried(settings):
        yield Conflict(
            key,
            f"{found} with engine.disaggregation",
            "Leave it out; or set engine.disaggregation.prefillReplicas to 0",
            (_PREFILL,),
        )


def _untried(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yields what vLLM's NixlConnector does not support, or what its estimate does not count."""
    engine, model = settings.engine, settings.model
    if engine.pipeline_parallel > 1:
        # https://github.com/vllm-project/vllm/issues/40674, open on 2026-12-01
        yield "engine.pipelineParallel", f"{engine.pipeline_parallel}, which vLLM does not support"
    if model.facts.parts.tower:
        # "Unknown" in vLLM's compatibility matrix of NixlConnector, read 2026-12-01
        yield "model.name", f"{model.facts.name}, a vision model, which vLLM has not validated"
    stated = {
        "engine.speculation.method": (engine.speculation.is_on, engine.speculation.method),
        "engine.dataParallelAttention": (engine.data_parallel_attention, "true"),
        "engine.kvOffloadGibibytes": (
            engine.kv_offload_gibibytes > 0,
            str(engine.kv_offload_gibibytes),
        ),
        "model.loraAdapters": (bool(model.lora_adapters), "adapters"),
        "engine.measuredOutputTokensPerSecond": (
            engine.measured_output_tokens_per_second is not None,
            f"{engine.measured_output_tokens_per_second}, measured on a replica that does both,",
        ),
    }
    for key, (is_stated, found) in stated.items():
        if is_stated:
            yield key, found


def undeployable_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields that disaggregation is estimated and not deployed."""
    if settings.engine.disaggregation.is_on:
        yield Conflict(
            _PREFILL,
            f"{settings.engine.disaggregation.prefill_replicas}: Breakeven estimates "
            "prefill/decode disaggregation and does not deploy it, because the transfer between "
            "two groups of GPUs is not tested",
            "Set it to 0 to deploy replicas that do both; or deploy both groups with llm-d or "
            "NVIDIA Dynamo (docs/vllm.md)",
        )
