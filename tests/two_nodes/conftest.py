"""Two real nodes, once for all tests, and a stack that the real engine deploys to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from node.starting import Started
from tests.node.fixtures import project_for, started
from tests.project_copy import Project

_figures: list[str] = []


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Nodes that leave the machine as it was: that is asked when all tests are over."""
    with started(tmp_path_factory.mktemp("nodes"), nodes=2) as running:
        yield running


@pytest.fixture(scope="module")
def project(node: Started, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project that deploys to them."""
    return project_for(node, tmp_path_factory.mktemp("stack"))


@pytest.fixture
def figures() -> list[str]:
    """Takes sentences about what was seen, which are shown at the end."""
    return _figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows what was seen."""
    for sentence in _figures:
        terminalreporter.write_line(f"seen: {sentence}")
