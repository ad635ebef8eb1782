"""What the tests of one node and of two begin with: nodes, and a project that deploys to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.console import Console
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from node.places import Places
from node.starting import Started, start
from tests.node import machine
from tests.node.pods import client_of
from tests.project_copy import Project, copy_project

# An engine starts within a minute and a half on a machine of its own.
_LONGEST_COMMAND_SECONDS = 1800

_figures: list[str] = []


@contextmanager
def started(folder: Path, nodes: int = 1) -> Iterator[Started]:
    """Starts nodes, which leave the machine as it was: that is asked at the end."""
    layout = Layout.of(ROOT, os.environ)
    before = machine.snapshot()
    running = start(layout, Places.of(layout, folder), Console(), nodes=nodes)
    try:
        yield running
    finally:
        # First, whatever else goes wrong: nothing else ends it.
        running.namespaces.end()
        client_of(running).api_client.rest_client.pool_manager.clear()
        running.api.pool.clear()
    assert machine.differences(before) == []


@pytest.fixture(scope="module")
def project(node: Started, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project that deploys to the node, or to both."""
    copied = copy_project(tmp_path_factory.mktemp("stack"))
    environment = {**copied.environment, "KUBECONFIG": str(node.kubeconfig)}
    return replace(copied, environment=environment, longest_seconds=_LONGEST_COMMAND_SECONDS)


@pytest.fixture
def figures() -> list[str]:
    """Takes sentences about what was seen, which are shown at the end."""
    return _figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows what was seen."""
    for sentence in _figures:
        terminalreporter.write_line(f"seen: {sentence}")
