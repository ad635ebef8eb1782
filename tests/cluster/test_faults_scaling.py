"""What goes wrong with those who scale: Prometheus or KEDA is away, while demand goes on."""

from __future__ import annotations

import time

import pytest
from rig.api import Api
from rig.cluster import Rig

from tests.cluster.demand import condition, demand, hasten, wanted
from tests.cluster.deploying import destroy, up, wait_for
from tests.project_copy import Project
from tests.recording import settings_of

STACK = "aws-prod"
SETTINGS = settings_of(STACK)
A_REPLICA = SETTINGS.replicas.target_requests
# Long enough for ten looks of the autoscaler.
BLIND_SECONDS = 20


def test_without_prometheus_the_replicas_stay_and_scaling_comes_back_with_it(
    project: Project, rig: Rig, api: Api
) -> None:
    with demand(rig, SETTINGS.model.facts.name) as shown:
        up(project, STACK)
        hasten(api)
        shown.requests = 4 * A_REPLICA
        wait_for("four replicas", lambda: wanted(api) == 4)
        rig.stop_part("prometheus")
        wait_for("KEDA falls back", lambda: condition(api, "Fallback") == "True")
        shown.requests = 6 * A_REPLICA
        _stays(api, 4)
        rig.start_part("prometheus")
        wait_for("six replicas", lambda: wanted(api) == 6, seconds=120)
        shown.requests = 3 * A_REPLICA
        wait_for("three replicas", lambda: wanted(api) == 3)
        assert condition(api, "Fallback") == "False"
        destroy(project, STACK)


@pytest.mark.parametrize("parts", [("keda-operator",), ("keda-operator", "keda-adapter")])
def test_without_keda_the_replicas_stay_and_scaling_comes_back_with_it(
    project: Project, rig: Rig, api: Api, parts: tuple[str, ...]
) -> None:
    with demand(rig, SETTINGS.model.facts.name) as shown:
        up(project, STACK)
        hasten(api)
        shown.requests = 4 * A_REPLICA
        wait_for("four replicas", lambda: wanted(api) == 4)
        for part in parts:
            rig.stop_part(part)
        shown.requests = 6 * A_REPLICA
        _stays(api, 4)
        for part in parts:
            rig.start_part(part)
        wait_for("six replicas", lambda: wanted(api) == 6, seconds=120)
        destroy(project, STACK)


def _stays(api: Api, replicas: int) -> None:
    until = time.monotonic() + BLIND_SECONDS
    while time.monotonic() < until:
        assert wanted(api) == replicas
        time.sleep(0.5)
