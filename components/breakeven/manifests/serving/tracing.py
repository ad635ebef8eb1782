"""How vLLM sends OpenTelemetry traces, if the stack names a collector."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.serving.environment import env_vars
from breakeven.settings.stack import Settings

# Without a caller's decision vLLM would trace every request. 5% is what production-stack and llm-d
# set; a caller that samples a request itself has its spans kept.
SAMPLED_SHARE = "0.05"


def tracing_environment(settings: Settings) -> list[dict[str, Any]]:
    """Returns the variables of OpenTelemetry's exporter; empty without traces.

    The flag --otlp-traces-endpoint carries the address. Spans hold counts, times and sampling
    parameters of a request, not its text.
    """
    if settings.monitoring.tracing_endpoint is None:
        return []
    return env_vars(
        {
            "OTEL_SERVICE_NAME": f"vllm-{settings.model.facts.name}",
            "OTEL_RESOURCE_ATTRIBUTES": f"k8s.namespace.name={settings.network.namespace}",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": SAMPLED_SHARE,
        }
    )
