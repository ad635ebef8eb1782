"""Traces: sent where the stack says so, from no pod otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.serving.component import serving_component
from tests.recording import STACKS, resources_of, stack_of


def container_of(stack: str, endpoint: str) -> Any:
    read = stack_of(stack, **{"monitoring.tracingEndpoint": endpoint})
    served = resources_of(serving_component("vllm", read.models[0], pool_of(read)))
    return served.engine.container


def environment(container: Any) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


@pytest.mark.parametrize("stack", STACKS)
def test_without_a_collector_nothing_is_traced(stack: str) -> None:
    container = container_of(stack, "")
    assert not any("otlp" in flag for flag in container["args"])
    assert not any(name.startswith("OTEL_") for name in environment(container))


@pytest.mark.parametrize("stack", STACKS)
def test_a_share_of_the_requests_is_traced(stack: str) -> None:
    container = container_of(stack, "http://otel.obs.svc:4317")
    assert "--otlp-traces-endpoint=http://otel.obs.svc:4317" in container["args"]
    found = environment(container)
    assert found["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "grpc"
    assert found["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"
    assert 0 < float(found["OTEL_TRACES_SAMPLER_ARG"]) < 1
