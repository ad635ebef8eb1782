"""How a stack scales to zero replicas and back."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.planning.offline import ledger_of
from tests.recording import Recorded, resources_of, settings_of, stack_of

STACK = stack_of("hybrid", **{"replicas.min": 0})
[SETTINGS] = STACK.models


def scaled_object() -> Recorded:
    registration = resources_of(autoscaling_component("autoscaling", SETTINGS))
    return registration.one("ScaledObject")


def test_the_fewest_replicas_are_none_and_the_last_one_goes_as_the_setting_says() -> None:
    spec = scaled_object().spec
    assert spec["minReplicaCount"] == 0
    assert spec["cooldownPeriod"] == SETTINGS.replicas.scale_down_seconds
    assert spec["fallback"]["replicas"] == 0


def test_where_a_replica_always_runs_the_engine_alone_decides() -> None:
    always = settings_of("hybrid")
    registration = resources_of(autoscaling_component("autoscaling", always))
    triggers: list[Any] = list(registration.one("ScaledObject").spec["triggers"])
    assert [one["name"] for one in triggers] == ["requests-in-flight", "requests-waiting"]
    assert not [one for one in triggers if "vector(0)" in one["metadata"]["query"]]


def test_an_update_does_not_wait_for_a_replica_that_is_not_there() -> None:
    services = {
        one.name: one.properties or {}
        for one in ledger_of(STACK)
        if one.type == "kubernetes:core/v1:Service"
    }
    for name in ("model", "model-replicas", "gateway"):
        metadata: Any = services[name]["metadata"]
        assert metadata["annotations"]["pulumi.com/skipAwait"] == "true", name
