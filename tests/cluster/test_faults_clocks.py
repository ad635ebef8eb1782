"""Clocks that are off: of a node, of those who date and ask for metrics, of who deploys.

What goes by the date alone is tested without a cluster: waivers (tests/unit/policy) and the age of
prices (tests/unit/planning/test_inputs.py).
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rig.api import Api
from rig.cluster import Rig
from tests.cluster.clocks import kubeconfig_of_an_earlier_clock
from tests.cluster.conftest import TUNING
from tests.cluster.demand import condition, scaled, stays, wanted
from tests.cluster.deploying import DEPLOYMENT, destroy, pulumi, ready_replicas, up, wait_for
from tests.cluster.machines import endpoints, fewest_ready, renew, replicas, silence, speak
from tests.project_copy import Project
from tests.recording import settings_of

STACK = "aws-prod"
AN_HOUR = timedelta(hours=1)


def test_a_node_whose_clock_is_ahead_keeps_its_replica(project: Project, api: Api) -> None:
    """The control plane counts silence by its own clock, not by what a node's lease says.

    A lease that goes back counts as silence: see the next test.
    """
    up(project, STACK)
    before = replicas(api)
    node = next(iter(before.values()))
    silence(api, node)
    with _kubelet(api, node, AN_HOUR):
        until = time.monotonic() + 3 * TUNING.node_grace_seconds
        while time.monotonic() < until:
            assert endpoints(api) == set(before)
            time.sleep(1)
        assert replicas(api) == before
        assert ready_replicas(api) == 2
        pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    speak(api, node)
    destroy(project, STACK)


def test_a_node_whose_clock_is_put_right_costs_one_replica_at_most(
    project: Project, api: Api
) -> None:
    """For an hour its leases seem to be older than those that it wrote by the wrong clock."""
    up(project, STACK)
    node = next(iter(replicas(api).values()))
    silence(api, node)
    with fewest_ready(api) as counted:
        with _kubelet(api, node, AN_HOUR):
            time.sleep(2 * TUNING.node_grace_seconds)
        speak(api, node)
        wait_for("two serve, there or elsewhere", lambda: len(endpoints(api)) == 2, seconds=180)
    assert min(counted) >= 1
    destroy(project, STACK)


@pytest.mark.parametrize("off", [-AN_HOUR, AN_HOUR], ids=["late", "ahead"])
def test_replicas_stay_while_metrics_have_the_wrong_date_and_follow_the_load_once_it_is_right(
    project: Project, rig: Rig, api: Api, off: timedelta
) -> None:
    with scaled(project, rig, api, STACK, 4) as shown:
        # What it knows already would be an answer for five minutes.
        rig.stop_part("prometheus")
        shutil.rmtree(rig.folder.part("prometheus") / "data")
        shown.clock_off_seconds = round(off.total_seconds())
        shown.requests = 6 * settings_of(STACK).replicas.target_requests
        rig.start_part("prometheus")
        wait_for("KEDA falls back", lambda: condition(api, "Fallback") == "True")
        stays(api, 4)
        shown.clock_off_seconds = 0
        wait_for("six replicas", lambda: wanted(api) == 6, seconds=120)
        assert condition(api, "Fallback") == "False"


def test_a_deployer_whose_clock_is_late_is_told_of_the_date_and_nothing_is_changed(
    project: Project, rig: Rig, api: Api, tmp_path: Path
) -> None:
    up(project, "on-prem")
    before = api.get(DEPLOYMENT)["metadata"]["generation"]
    project.set("on-prem", **{"model.maxLength": 8192})
    with kubeconfig_of_an_earlier_clock(rig.kubeconfig, tmp_path) as kubeconfig:
        environment = {**project.environment, "KUBECONFIG": str(kubeconfig)}
        late = replace(project, environment=environment)
        started = time.monotonic()
        failed = late.pulumi("up", "--stack", "on-prem", "--yes", "--skip-preview")
        assert failed.returncode != 0
        assert time.monotonic() - started < 120
    assert "certificate has expired or is not yet valid" in failed.stdout + failed.stderr
    assert api.get(DEPLOYMENT)["metadata"]["generation"] == before
    up(project, "on-prem")
    assert ready_replicas(api) == 2
    destroy(project, "on-prem")


@contextmanager
def _kubelet(api: Api, node: str, off: timedelta) -> Iterator[None]:
    """Stands in for a kubelet that renews its lease by a clock that is off."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(TUNING.node_grace_seconds / 4):
            renew(api, node, datetime.now(UTC) + off)

    renew(api, node, datetime.now(UTC) + off)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
