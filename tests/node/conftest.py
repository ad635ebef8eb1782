"""A real node, once for all tests, and a stack that the real engine deploys to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bootstrap.console import Console
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from node.places import Places
from node.starting import Started, start
from tests.node import machine
from tests.node.pods import client_of
from tests.project_copy import Project, copy_project

_figures: list[str] = []

# An engine starts within a minute and a half on a machine of its own.
_LONGEST_COMMAND_SECONDS = 1800


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A node that leaves the machine as it was: that is asked when all tests are over."""
    layout = Layout.of(ROOT, os.environ)
    places = Places.of(layout, tmp_path_factory.mktemp("node"))
    before = machine.snapshot()
    running = start(layout, places, Console())
    try:
        yield running
    finally:
        client_of(running).api_client.rest_client.pool_manager.clear()
        running.api.pool.clear()
        running.namespaces.end()
    assert machine.differences(before) == []


@pytest.fixture(scope="module")
def project(node: Started, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project that deploys to the node."""
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
