"""The rig, once for all tests, and stacks that the real engine deploys to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bootstrap import cluster as built
from bootstrap.layout import Layout
from rig.api import Api
from rig.cluster import Rig
from rig.settings import Tuning

from components.project import ROOT
from tests.project_copy import Project, copy_project

# Where a fault must be noticed, tests need not wait as long as production does.
TUNING = Tuning(scrape_seconds=1, scaling_seconds=2, node_grace_seconds=12)


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


@pytest.fixture
def project(rig: Rig, tmp_path: Path) -> Project:
    """A fresh copy of the project that deploys to the rig."""
    copied = copy_project(tmp_path)
    return replace(copied, environment={**copied.environment, "KUBECONFIG": str(rig.kubeconfig)})
