"""Several models in mode hybrid: each has its own fallback, key, price, and ready replicas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.offline import load_values
from breakeven.settings.files import stack_values, with_settings
from tests.gateway.answers import PROMPT_TOKENS, WORDS
from tests.gateway.asking import FREE_LIMIT, A, B, assert_complete, at_once, eventually
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import MARK, SECRETS, TODAY, Cluster
from tests.recording import stack_of

FIRST, SECOND = (model.model.facts.name for model in stack_of("two-models").models)
OWN_API, SECOND_API = "openai/gpt-5.6-luna", "mistral/mistral-small-latest"
TEAMS: dict[str, Any] = {
    "product": {"usdPerMonth": "100"},
    "free": {},
    "legal": {"dataMayLeave": False},
}
HYBRID: dict[str, Any] = {
    "gateway.mode": "hybrid",
    "gateway.overflow.requestsPerReplica": FREE_LIMIT,
    "models[0].replicas.targetRequests": FREE_LIMIT,
    "models[1].replicas.targetRequests": FREE_LIMIT,
    "gateway.overflow.providers": {"mistral": {"keySecret": "second-api"}},
    "models[1].api.inUse": SECOND_API,
}


@cache
def figures() -> GatewayFigures:
    changed = {**HYBRID, "gateway.teams": TEAMS}
    values = with_settings(stack_values("two-models"), changed)
    return gateway_figures(load_values("two-models", values, TODAY).report())


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("two-apis")
    cluster = Cluster(folder, teams=TEAMS, stack="two-models", figures=figures(), overrides=HYBRID)
    cluster.set_replicas(A)
    cluster.set_further(B)
    yield cluster
    assert_nothing_leaked(cluster)
    assert "script log" not in cluster.log(), "a program failed"
    cluster.close()


@pytest.fixture
def apart(two: Cluster) -> Iterator[Cluster]:
    """Neither model has a replica; afterwards each has its own again."""
    two.begin_anew()
    two.api.asked.clear()
    two.set_replicas()
    two.set_further()
    yield two
    two.set_replicas(A)
    two.set_further(B)


def asked_of_apis(cluster: Cluster) -> list[tuple[str, str, str]]:
    """Host, key and model of every request that an API got since the last time."""
    found = [
        (one.header("host"), one.header("authorization"), str(one.body["model"]))
        for one in cluster.api.asked
    ]
    cluster.api.asked.clear()
    return found


FIRST_ASKED = ("api.openai.com", f"Bearer {SECRETS['overflow-api', 'api-key']}", "gpt-5.6-luna")
SECOND_ASKED = (
    "api.mistral.ai",
    f"Bearer {SECRETS['second-api', 'api-key']}",
    "mistral-small-latest",
)


def test_each_model_falls_back_to_its_own_api_with_its_own_key(apart: Cluster) -> None:
    for stream in (False, True):
        assert_complete([apart.ask(model=FIRST, stream=stream)])
        assert asked_of_apis(apart) == [FIRST_ASKED]
        assert_complete([apart.ask(model=SECOND, stream=stream)])
        assert asked_of_apis(apart) == [SECOND_ASKED]


def test_each_api_gets_requests_under_its_own_name(two: Cluster) -> None:
    two.api.asked.clear()
    assert_complete([two.ask(model=OWN_API), two.ask(model=SECOND_API)])
    assert asked_of_apis(two) == [FIRST_ASKED, SECOND_ASKED]
    assert two.ask("sk-legal", text=MARK, model=SECOND_API).status == 403
    assert not two.api.asked


def test_a_model_without_replicas_takes_no_other_along(two: Cluster) -> None:
    two.begin_anew()
    two.set_further()
    try:
        assert_complete(answers := [two.ask(model=FIRST), two.ask(model=SECOND)])
        assert [one.by for one in answers] == ["own", "api"]
        assert two.ask("sk-legal", text=MARK, model=SECOND).status == 503
        assert_complete([two.ask("sk-legal", text=MARK, model=FIRST)])
    finally:
        two.set_further(B)


def test_a_full_model_overflows_and_the_other_does_not(two: Cluster) -> None:
    two.begin_anew()
    for replica in two.further.values():
        replica.begin_anew()
        replica.faults.seconds_to_answer = 2.0
    two.api.asked.clear()
    answers = at_once(12, lambda: two.ask("sk-free", model=SECOND))
    assert_complete(answers)
    assert {one.by for one in answers} == {"own", "api"}
    assert two.further[B].most_running <= FREE_LIMIT
    assert_complete([two.ask(model=FIRST)])
    assert not [one for one in two.api.asked if one.body["model"] == FIRST_ASKED[2]]
    for replica in two.further.values():
        replica.begin_anew()


@pytest.mark.parametrize("model", [FIRST, SECOND])
def test_tokens_cost_what_their_model_costs(two: Cluster, model: str) -> None:
    two.begin_anew()
    costs = figures().of(model)
    tokens = PROMPT_TOKENS + WORDS

    def nano(to: str) -> float:
        return two.metric("envoy_gateway_nano_usd", model=model, to=to)

    before = nano("own")
    assert_complete([two.ask(model=model)])
    expected = costs.own * tokens * 1000
    eventually(lambda: abs(Decimal(nano("own") - before) - expected) <= 1)
    host = A if model == FIRST else B
    before = nano("api")
    (two.set_replicas if model == FIRST else two.set_further)()
    try:
        assert_complete([two.ask(model=model)])
        expected = (costs.api_input * PROMPT_TOKENS + costs.api_output * WORDS) * 1000
        eventually(lambda: abs(Decimal(nano("api") - before) - expected) <= 1)
    finally:
        (two.set_replicas if model == FIRST else two.set_further)(host)


def test_all_models_and_all_apis_are_listed(two: Cluster) -> None:
    answer = two.call("GET", "/v1/models", key="sk-product")
    names = [one["id"] for one in json.loads(answer.text)["data"]]
    assert names == [FIRST, SECOND, OWN_API, SECOND_API]
