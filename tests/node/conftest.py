"""A real node, once for all tests, and a stack that the real engine deploys to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from node.starting import Started
from tests.node.fixtures import figures, project, pytest_terminal_summary, started

__all__ = ["figures", "node", "project", "pytest_terminal_summary"]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A node that leaves the machine as it was: that is asked when all tests are over."""
    with started(tmp_path_factory.mktemp("node")) as running:
        yield running
