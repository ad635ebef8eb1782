"""What goes wrong with those who scale: Prometheus or KEDA is away, while demand goes on."""

from __future__ import annotations

import pytest

from rig.api import Api
from rig.cluster import Rig
from tests.cluster.demand import condition, scaled, stays, wanted
from tests.cluster.deploying import wait_for
from tests.project_copy import Project
from tests.recording import settings_of

STACK = "aws-prod"
A_REPLICA = settings_of(STACK).replicas.target_requests


def test_without_prometheus_the_replicas_stay_and_scaling_comes_back_with_it(
    project: Project, rig: Rig, api: Api
) -> None:
    with scaled(project, rig, api, STACK, 4) as shown:
        rig.stop_part("prometheus")
        wait_for("KEDA falls back", lambda: condition(api, "Fallback") == "True")
        shown.requests = 6 * A_REPLICA
        stays(api, 4)
        rig.start_part("prometheus")
        wait_for("six replicas", lambda: wanted(api) == 6, seconds=120)
        shown.requests = 3 * A_REPLICA
        wait_for("three replicas", lambda: wanted(api) == 3)
        assert condition(api, "Fallback") == "False"


@pytest.mark.parametrize("parts", [("keda-operator",), ("keda-operator", "keda-adapter")])
def test_without_keda_the_replicas_stay_and_scaling_comes_back_with_it(
    project: Project, rig: Rig, api: Api, parts: tuple[str, ...]
) -> None:
    with scaled(project, rig, api, STACK, 4) as shown:
        for part in parts:
            rig.stop_part(part)
        shown.requests = 6 * A_REPLICA
        stays(api, 4)
        for part in parts:
            rig.start_part(part)
        wait_for("six replicas", lambda: wanted(api) == 6, seconds=120)
