"""Scaling of replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.serving.component import serving_component
from breakeven.settings.stack import Settings
from tests.recording import STACKS, Recorded, resources_of, settings_of, stack_of
from tests.unit.promql import check

AUTOSCALED = [stack for stack in STACKS if settings_of(stack).replicas.autoscaling]

pytestmark = pytest.mark.parametrize("stack", AUTOSCALED)


def scaled_object(settings: Settings) -> Recorded:
    registration = resources_of(autoscaling_component("autoscaling", settings))
    return registration.one("ScaledObject")


def triggers(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    return {trigger["name"]: trigger for trigger in scaled_object(settings).spec["triggers"]}


def test_it_scales_the_deployment_within_its_bounds(stack: str) -> None:
    settings = settings_of(stack)
    scaling = scaled_object(settings)
    served = resources_of(serving_component("vllm", settings, pool_of(stack_of(stack))))
    deployment = served.engine
    assert scaling.spec["scaleTargetRef"] == {"name": deployment.metadata["name"]}
    assert scaling.spec["minReplicaCount"] == settings.replicas.min
    assert scaling.spec["maxReplicaCount"] == settings.replicas.max
    assert scaling.metadata["namespace"] == "llm"


def test_queries_ask_for_what_vllm_reports_about_this_model(stack: str) -> None:
    # The label is model_name: with another one production-stack's default finds nothing.
    settings = settings_of(stack)
    for trigger in triggers(settings).values():
        for selection in check(trigger["metadata"]["query"]).selections:
            assert selection.matchers == {
                "namespace": settings.network.namespace,
                "model_name": settings.model.facts.name,
            }


def test_each_query_is_one_number_however_many_replicas_there_are(stack: str) -> None:
    # KEDA refuses more than one element; without a sum scaling ends at the second replica.
    for trigger in triggers(settings_of(stack)).values():
        expression = check(trigger["metadata"]["query"])
        assert {selection.function for selection in expression.selections} == {"sum"}
        assert expression.grouping == []


def test_requests_in_flight_are_those_that_run_and_those_that_wait(stack: str) -> None:
    found = triggers(settings_of(stack))
    metrics = {
        name: [selection.metric for selection in check(trigger["metadata"]["query"]).selections]
        for name, trigger in found.items()
    }
    assert metrics == {
        "requests-in-flight": ["vllm:num_requests_running", "vllm:num_requests_waiting"],
        "requests-waiting": ["vllm:num_requests_waiting"],
    }


def test_targets_are_per_replica(stack: str) -> None:
    settings = settings_of(stack)
    found = triggers(settings)
    assert {trigger["metricType"] for trigger in found.values()} == {"AverageValue"}
    # KEDA reads text only.
    thresholds = {name: trigger["metadata"]["threshold"] for name, trigger in found.items()}
    assert thresholds == {
        "requests-in-flight": str(settings.replicas.target_requests),
        "requests-waiting": str(settings.replicas.target_waiting),
    }


def test_finding_nothing_is_an_error_and_not_an_idle_model(stack: str) -> None:
    settings = settings_of(stack)
    for trigger in triggers(settings).values():
        assert trigger["metadata"]["ignoreNullValues"] == "false"
    fallback = scaled_object(settings).spec["fallback"]
    assert fallback["behavior"] == "currentReplicasIfHigher"
    assert fallback["replicas"] == settings.replicas.min


def test_replicas_come_at_once_and_go_slowly(stack: str) -> None:
    settings = settings_of(stack)
    behavior = scaled_object(settings).spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    down = behavior["scaleDown"]
    assert down["stabilizationWindowSeconds"] == settings.replicas.scale_down_seconds
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_it_waits_for_its_target_and_until_it_is_in_force(stack: str) -> None:
    settings = settings_of(stack)
    served = resources_of(serving_component("vllm", settings, pool_of(stack_of(stack))))
    scaling = scaled_object(settings)
    assert scaling.depends_on(served.engine)
    assert scaling.metadata["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
