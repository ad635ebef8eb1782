"""Updates and rollbacks: what is possible with the GPUs and the volume that a stack has."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.manifests.serving.rollout import rollout_of
from breakeven.manifests.serving.timings import timings_of
from tests.recording import STACKS, settings_of

ONE = {"replicas.min": 1, "replicas.max": 1}
SHARED = {"weights.accessMode": "ReadWriteMany"}


@pytest.mark.parametrize("stack", STACKS)
def test_an_update_either_adds_a_replica_or_takes_one_and_never_both_or_neither(stack: str) -> None:
    rollout = rollout_of(settings_of(stack))
    assert (rollout.max_surge, rollout.max_unavailable) in {(1, 0), (0, 1)}


@pytest.mark.parametrize(
    ("stack", "overrides"),
    [("aws-prod", {}), ("on-prem", ONE)],
    ids=["a node is added", "a GPU is spare"],
)
def test_no_request_waits_where_a_replica_more_can_start(
    stack: str, overrides: Mapping[str, object]
) -> None:
    rollout = rollout_of(settings_of(stack, **overrides))
    assert (rollout.max_surge, rollout.gap_seconds) == (1, 0)
    assert rollout.hindrance is None


def test_without_a_spare_gpu_the_other_replicas_serve() -> None:
    rollout = rollout_of(settings_of("on-prem"))
    assert (rollout.max_surge, rollout.gap_seconds) == (0, 0)
    assert rollout.hindrance == "no-spare-gpu"


def test_a_quota_without_room_for_one_more_is_no_spare_gpu() -> None:
    rollout = rollout_of(settings_of("aws-prod", **{"pool.gpuQuota": 8}))
    assert (rollout.max_surge, rollout.gap_seconds) == (0, 0)
    assert rollout.hindrance == "gpu-quota"


@pytest.mark.parametrize(
    ("stack", "overrides", "hindrance"),
    [
        ("dev", {}, "one-node-mounts-weights"),
        ("on-prem", {"engine.tensorParallel": 8, **ONE}, "no-spare-gpu"),
    ],
)
def test_a_gap_has_a_cause_and_a_length(
    stack: str, overrides: Mapping[str, object], hindrance: str
) -> None:
    settings = settings_of(stack, **overrides)
    rollout = rollout_of(settings)
    assert 0 < rollout.gap_seconds <= timings_of(settings).startup_budget
    assert rollout.hindrance == hindrance


def test_what_is_advised_against_a_gap_helps() -> None:
    assert rollout_of(settings_of("dev", **SHARED)).gap_seconds == 0
    on_one_node = {
        "pool.gpusPerNode": 4,
        "replicas.min": 2,
        "replicas.max": 4,
        "pool.instanceTypes": ["g6.12xlarge"],
    }
    assert rollout_of(settings_of("dev", **on_one_node)).gap_seconds == 0
