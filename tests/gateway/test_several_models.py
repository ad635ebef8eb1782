"""Several models behind one address: the name in the body decides whose replicas answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.asking import A, B, assert_complete
from tests.gateway.running import Cluster
from tests.recording import stack_of

FIRST, SECOND = (model.model.facts.name for model in stack_of("two-models").models)
TEAMS: dict[str, Any] = {"product": {}, "small": {"tokensPerDay": 50}}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings: dict[str, Any] = {"gateway.enabled": True}
    folder = tmp_path_factory.mktemp("two")
    cluster = Cluster(folder, teams=TEAMS, stack="two-models", overrides=settings)
    cluster.set_replicas(A)
    cluster.set_further(B)
    yield cluster
    assert not cluster.api.asked
    assert "script log" not in cluster.log(), "a program failed"
    cluster.close()


def asked_of(cluster: Cluster) -> dict[str, list[str]]:
    """The models that replicas were asked for since the last time, by replica."""
    found = {}
    for host, replica in (*cluster.replicas.items(), *cluster.further.items()):
        found[host] = [str(one.body["model"]) for one in replica.asked]
        replica.asked.clear()
    return found


def test_the_name_in_the_body_decides_whose_replica_answers(two: Cluster) -> None:
    asked_of(two)
    for _ in range(3):
        assert_complete([two.ask(model=FIRST), two.ask(model=SECOND)])
        assert_complete([two.ask(model=SECOND, stream=True)])
    assert asked_of(two) == {A: [FIRST] * 3, B: [SECOND] * 6}


def test_a_name_that_nobody_serves_is_404_and_asks_nobody(two: Cluster) -> None:
    asked_of(two)
    for name in ("gpt-5", f"{FIRST}x", f"{FIRST}|{SECOND}", ""):
        assert two.ask(model=name).status in (400, 404), name
    assert asked_of(two) == {A: [], B: []}


def test_all_models_are_listed(two: Cluster) -> None:
    answer = two.call("GET", "/v1/models", key="sk-product")
    assert [one["id"] for one in json.loads(answer.text)["data"]] == [FIRST, SECOND]


def test_a_model_without_replicas_does_not_take_the_others_along(two: Cluster) -> None:
    two.set_replicas()
    try:
        assert two.ask(model=FIRST).status == 503
        assert_complete([two.ask(model=SECOND)])
    finally:
        two.set_replicas(A)


def test_a_limit_counts_what_a_team_uses_of_all_models(two: Cluster) -> None:
    statuses = [two.ask("sk-small", model=one).status for one in (FIRST, SECOND) * 8]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_counters_tell_models_apart(two: Cluster) -> None:
    for name in (FIRST, SECOND):
        before = two.metric("envoy_gateway_requests", model=name, to="own")
        assert_complete([two.ask(model=name)])
        assert two.metric("envoy_gateway_requests", model=name, to="own") == before + 1
