"""One cluster for all tests of a session, and the table of what it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.gateway.asking import A, told
from tests.gateway.client import Answer
from tests.gateway.running import MARK, Cluster

ONE_SET, TWO_SETS = "one set of pods", "two sets of pods"
"""Whether the pods that clients call also call the API (gateway.separateInside)."""

_rows: dict[str, list[tuple[str, Sequence[Answer], Sequence[Answer]]]] = {}


@pytest.fixture(scope="session")
def shared_cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    is_separate = getattr(request, "param", TWO_SETS) == TWO_SETS
    folder = tmp_path_factory.mktemp("cluster")
    cluster = Cluster(folder, {"gateway.separateInside": is_separate})
    assert (cluster.rendered.egress is not None) == is_separate
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
def row(request: pytest.FixtureRequest) -> Iterator[list[Sequence[Answer]]]:
    """Two columns of the table, set by the test: what free and what marked requests saw."""
    cells: list[Sequence[Answer]] = []
    yield cells
    if cells:  # else the test failed before it had any
        free, inside = cells
        found = getattr(request.node, "callspec", None)
        case = {} if found is None else dict(found.params)
        sets = case.pop("shared_cluster", TWO_SETS)
        name = request.node.originalname.removeprefix("test_").replace("_", " ")
        name += f"[{', '.join(map(str, case.values()))}]" if case else ""
        _rows.setdefault(sets, []).append((name, free, inside))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints a table for each number of sets, and what it sums up to."""
    for sets, rows in _rows.items():
        lines = [("Fault", "Requests that may leave", "Requests that stay inside")]
        lines += [
            (name, told(free) if free else "-", told(inside) if inside else "-")
            for name, free, inside in rows
        ]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        terminalreporter.section(f"gateway with {sets}: what happened to requests")
        for line in lines:
            terminalreporter.write_line("  ".join(map(str.ljust, line, widths)).rstrip())
        seen = [one for _, *columns in rows for answers in columns for one in answers]
        cut = [one for one in seen if one.cut]
        silent = [one for one in cut if not one.words()]
        terminalreporter.write_line(
            f"{len(seen)} requests: {len(silent)} lost before their first token, {len(cut)} "
            f"streams cut; longest wait {max(one.seconds for one in seen):.1f} s"
        )
