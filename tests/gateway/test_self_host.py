"""A gateway in front of own replicas alone: keys, limits and prefixes, and no API at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.asking import A, B, assert_complete, marked
from tests.gateway.running import Cluster


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings: dict[str, Any] = {"gateway.mode": "self-host", "gateway.enabled": True}
    cluster = Cluster(tmp_path_factory.mktemp("self-host"), settings)
    yield cluster
    assert not cluster.api.asked
    assert "script log" not in cluster.log(), "a program failed"
    cluster.close()


def test_requests_of_all_teams_go_to_own_replicas(alone: Cluster) -> None:
    alone.set_replicas(A, B)
    assert_complete([*(alone.ask() for _ in range(4)), *marked(alone), alone.ask(stream=True)])
    assert alone.ask("sk-nobody").status == 401
    assert alone.ask(model="openai/gpt-5.6-luna").status == 404


def test_what_begins_alike_goes_to_the_same_replica(alone: Cluster) -> None:
    alone.set_replicas(A, B)
    for replica in alone.replicas.values():
        replica.asked.clear()
    beginning = "a system prompt " * 200
    for number in range(8):
        assert_complete([alone.ask(text=f"{beginning} and question {number}")])
    assert sorted(len(replica.asked) for replica in alone.replicas.values()) == [0, 8]


def test_without_a_replica_every_client_is_told_to_retry(alone: Cluster) -> None:
    alone.set_replicas()
    for answer in (alone.ask(), *marked(alone)):
        assert answer.status == 503
        assert answer.headers["retry-after"]


def test_limits_count_own_tokens(alone: Cluster) -> None:
    alone.set_replicas(A)
    statuses = [alone.ask("sk-small").status for _ in range(12)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_nothing_that_runs_names_a_way_out(alone: Cluster) -> None:
    assert set(alone.processes) == {"store", "limits", "gateway"}
    assert not alone.rendered.names("api")
