"""What goes wrong with time: a machine's clock is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from rig.api import Api

from tests.cluster.conftest import TUNING
from tests.cluster.deploying import destroy, pulumi, ready_replicas, up
from tests.cluster.machines import endpoints, renew, replicas, silence, speak
from tests.project_copy import Project

STACK = "aws-prod"


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1)], ids=["behind", "ahead"])
def test_a_node_whose_clock_is_off_keeps_its_replica(
    project: Project, api: Api, off: timedelta
) -> None:
    """The control plane counts silence by its own clock, not by what a node's lease says."""
    up(project, STACK)
    before = replicas(api)
    node = next(iter(before.values()))
    silence(api, node)
    with _kubelet(api, node, off):
        until = time.monotonic() + 3 * TUNING.node_grace_seconds
        while time.monotonic() < until:
            assert endpoints(api) == set(before)
            time.sleep(1)
        assert replicas(api) == before
        assert ready_replicas(api) == 2
        pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    speak(api, node)
    destroy(project, STACK)


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
