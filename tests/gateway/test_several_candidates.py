"""Two models, each with a candidate: share, counters and faults of one are not the other's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import sqrt
from typing import Any

import pytest

from tests.gateway.asking import A, B, C, D, asked
from tests.gateway.running import Cluster
from tests.gateway.stand_in import Faults

REQUESTS = 1000
TRIALS: dict[str, Any] = {
    "gateway.enabled": True,
    "pool.gpuQuota": 40,
    "models[0].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[0].candidate.trafficPercent": 10,
    "models[1].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[1].candidate.trafficPercent": 40,
}
SHARES = (0.1, 0.4)
BOTH = ("own", "candidate")


@pytest.fixture(scope="module")
def shared_trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("trials"), TRIALS, stack="two-models")
    yield cluster
    cluster.close()


@pytest.fixture
def trials(shared_trials: Cluster) -> Iterator[Cluster]:
    """One replica of each model and of each candidate, without faults."""
    shared_trials.begin_anew()
    shared_trials.set_replicas(A)
    shared_trials.set_further(B)
    shared_trials.set_candidates(C)
    shared_trials.set_further_candidates(D)
    yield shared_trials
    assert not shared_trials.api.asked
    assert "[string" not in shared_trials.log(), "a program failed"


def models(cluster: Cluster) -> tuple[str, str]:
    """The names of both models."""
    [second] = (one.model for one in cluster.settings.co_located)
    return cluster.model, second


def asked_for(cluster: Cluster, model: str, count: int) -> Counter[str | None]:
    """Who answered so many requests for a model."""
    return asked(count, lambda: cluster.ask(model=model))


def test_each_candidate_answers_its_share_of_its_model(trials: Cluster) -> None:
    replicas = zip(
        models(trials),
        SHARES,
        (
            (trials.replicas[A], trials.candidates[C]),
            (trials.further[B], trials.further_candidates[D]),
        ),
        strict=True,
    )
    for model, share, (own, tried) in replicas:
        before = {to: trials.metric("envoy_gateway_requests", to=to, model=model) for to in BOTH}
        found = asked_for(trials, model, REQUESTS)
        spread = sqrt(REQUESTS * share * (1 - share))
        assert abs(found["candidate"] - REQUESTS * share) < 5 * spread, found
        for to, replica in zip(BOTH, (own, tried), strict=True):
            assert len(replica.asked) == found[to]
            assert {one.body["model"] for one in replica.asked} == {model}
            counted = trials.metric("envoy_gateway_requests", to=to, model=model)
            assert counted - before[to] == found[to]


@pytest.mark.parametrize("faults", [Faults(status=503), Faults(closes=True)], ids=repr)
def test_a_faulty_candidate_takes_nothing_from_the_other_model(
    trials: Cluster, faults: Faults
) -> None:
    first, second = models(trials)
    trials.candidates[C].faults = faults
    assert set(asked_for(trials, first, 100)) == {"own"}
    assert trials.candidates[C].asked
    assert set(asked_for(trials, second, 100)) == set(BOTH)


def test_a_candidate_that_is_gone_leaves_the_other_one_serving(trials: Cluster) -> None:
    first, second = models(trials)
    trials.set_further_candidates()
    assert set(asked_for(trials, second, 50)) == {"own"}
    assert set(asked_for(trials, first, 150)) == set(BOTH)


def test_a_candidate_never_answers_for_another_model(trials: Cluster) -> None:
    """Also while the other model has no replica: its candidate has its own share only."""
    first, second = models(trials)
    trials.set_further()
    trials.set_further_candidates()
    answers = [trials.ask(model=second) for _ in range(40)]
    assert {one.status for one in answers} == {503}
    assert not trials.replicas[A].asked
    assert not trials.candidates[C].asked
    assert asked_for(trials, first, 20).total() == 20
