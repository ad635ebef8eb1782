"""The rig, once for all tests, and stacks that the real engine deploys to it."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap import cluster as built
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from rig.api import Api
from rig.cluster import Rig
from rig.settings import Tuning
from tests.cluster.cleaning import clean
from tests.cluster.inventory import inventory, leftovers
from tests.project_copy import Project, copy_project

# Where a fault must be noticed, tests need not wait as long as production does.
TUNING = Tuning(scrape_seconds=1, scaling_seconds=2, node_grace_seconds=12)

_FAILED = pytest.StashKey[bool]()
_log = logging.getLogger(__name__)


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A cluster of its own, with nothing in it but what every cluster has."""
    programs, definitions = built.find(Layout.of(ROOT, os.environ))
    running = Rig.start(tmp_path_factory.mktemp("rig"), programs, definitions, tuning=TUNING)
    try:
        yield running
        running.check()
    finally:
        running.stop()


@pytest.fixture
def api(rig: Rig) -> Api:
    """The cluster's API."""
    return rig.api


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remembers whether a test has failed, for the fixtures that clean up after it."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def project(
    rig: Rig, api: Api, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Project]:
    """A fresh copy of the project that deploys to the rig; the cluster is left as it was.

    A test that has passed must have left nothing. After one that has failed its stacks are
    destroyed by the engine, what is left is deleted, and both are reported.
    """
    before = inventory(api)
    copied = copy_project(tmp_path)
    environment = {**copied.environment, "KUBECONFIG": str(rig.kubeconfig)}
    deploying = replace(copied, environment=environment)
    yield deploying
    failed = request.node.stash.get(_FAILED, False)
    left = set() if failed else leftovers(api, before)
    if failed or left:
        for done in clean(deploying, rig, before):
            _log.warning("cleaning: %s", done)
    assert left == set()
