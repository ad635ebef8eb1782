"""One cluster for all tests of a session, and the table of what it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.asking import A
from tests.gateway.running import MARK, Cluster

_rows: list[tuple[str, str, str]] = []


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster without faults and without replicas; a prompt that leaked fails any test."""
    shared_cluster.begin_anew()
    shared_cluster.set_replicas()
    yield shared_cluster
    assert_nothing_leaked(shared_cluster)


@pytest.fixture
def serving(shared_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with replica A, without faults; a prompt that leaked fails any test."""
    shared_cluster.begin_anew()
    shared_cluster.set_replicas(A)
    yield shared_cluster
    assert_nothing_leaked(shared_cluster)


def assert_nothing_leaked(cluster: Cluster) -> None:
    """Fails if the API was asked anything that had to stay inside, or a program of ours failed."""
    assert "[string" not in cluster.log()
    assert not [one for one in cluster.api.asked if MARK.encode() in one.content]


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Two columns of the table, set by the test: what free and what marked requests saw."""
    cells: list[str] = []
    yield cells
    if cells:  # else the test failed before it had any
        free, inside = cells
        _rows.append((request.node.name.removeprefix("test_").replace("_", " "), free, inside))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table."""
    if not _rows:
        return
    heads = ("Fault", "Requests that may leave", "Requests that stay inside")
    widths = [max(len(line[column]) for line in (heads, *_rows)) for column in range(3)]
    terminalreporter.section("gateway: what happened to requests")
    for line in (heads, *_rows):
        terminalreporter.write_line("  ".join(map(str.ljust, line, widths)).rstrip())
