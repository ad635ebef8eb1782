"""A candidate next to the model: its share, what it cannot take, and how it comes and goes.

What an update does in turn is what Pulumi does: it replaces the model's replicas, then the gateway,
and finally removes deleted resources.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.answers import WORDS
from tests.gateway.asking import FREE_LIMIT, A, B, C, D, asked, assert_complete, at_once, marked
from tests.gateway.client import Answer
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults

PERCENT, REQUESTS = 10, 3000
_BOTH = ("own", "candidate")
TRIAL: dict[str, Any] = {
    "candidate.settings": {"engine.maxRequests": 128},
    "candidate.trafficPercent": PERCENT,
    "gateway.overflow.requestsPerReplica": 16,
}


@pytest.fixture(scope="module")
def shared_trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("trial"), TRIAL)
    yield cluster
    cluster.close()


@pytest.fixture
def trial(shared_trial: Cluster) -> Iterator[Cluster]:
    """One replica of each, without faults; a prompt that leaked fails any test."""
    shared_trial.begin_anew()
    shared_trial.set_candidates()
    shared_trial.set_replicas(A)
    shared_trial.set_candidates(C)
    yield shared_trial
    assert_nothing_leaked(shared_trial)


def _failures(cluster: Cluster) -> float:
    every, good = (
        cluster.metric("envoy_gateway_requests", to="candidate", **labels)
        for labels in ({}, {"status": "200"})
    )
    return every - good


def until(cluster: Cluster, by: str, ask: Callable[[], Answer]) -> Answer:
    """Asks until a candidate, or the model, has answered; at 10% that takes some."""
    for _ in range(200):
        answer = ask()
        if answer.by == by:
            return answer
    raise AssertionError(cluster.log()[-2000:])


def test_a_candidate_answers_its_share(trial: Cluster) -> None:
    found = asked(REQUESTS, lambda: trial.ask("sk-legal", text=MARK))
    share = PERCENT / 100
    spread = sqrt(REQUESTS * share * (1 - share))
    assert abs(found["candidate"] - REQUESTS * share) < 5 * spread, found
    assert found["candidate"] + found["own"] == REQUESTS, found


def test_what_stays_inside_is_tried_and_stays_inside(trial: Cluster) -> None:
    answer = until(trial, "candidate", lambda: trial.ask("sk-legal", text=MARK))
    assert_complete([answer])
    trial.set_candidates()
    assert_complete([one for _ in range(20) for one in marked(trial)])
    trial.set_replicas()
    statuses = {one.status for _ in range(20) for one in marked(trial)}
    assert statuses == {503}


def test_each_has_counters_of_its_own(trial: Cluster) -> None:
    [replica], [tried] = trial.replicas.values(), trial.candidates.values()
    names = ("envoy_gateway_requests", "envoy_gateway_output_tokens")
    before = {(name, to): trial.metric(name, to=to) for name in names for to in _BOTH}
    asked(100, lambda: trial.ask("sk-legal", text=MARK))
    for to, server in zip(_BOTH, (replica, tried), strict=True):
        more = [trial.metric(name, to=to) - before[name, to] for name in names]
        assert more == [len(server.asked), len(server.asked) * WORDS], to


@pytest.mark.parametrize(
    "faults", [Faults(status=500), Faults(status=503), Faults(closes=True)], ids=repr
)
def test_a_faulty_candidate_loses_no_request_and_is_counted(trial: Cluster, faults: Faults) -> None:
    [tried] = trial.candidates.values()
    before = _failures(trial)
    tried.faults = faults
    assert set(asked(150, lambda: trial.ask("sk-legal", text=MARK))) == {"own"}
    # After some failures it is taken out for seconds, and its share fails without being sent.
    assert _failures(trial) - before >= len(tried.asked) > 0


def test_a_candidate_that_is_gone_loses_no_request(trial: Cluster) -> None:
    """Killed, so that its name is still there for a while; then without any replica."""
    trial.candidates.pop(C).stop()
    assert set(asked(100, lambda: trial.ask("sk-legal", text=MARK))) == {"own"}
    trial.set_candidates()
    assert set(asked(100, lambda: trial.ask("sk-legal", text=MARK))) == {"own"}


def test_what_a_full_candidate_cannot_take_goes_to_the_model(tmp_path: Path) -> None:
    nearly_all = {**TRIAL, "candidate.trafficPercent": 90}
    cluster = Cluster(tmp_path, {**nearly_all, "gateway.overflow.requestsPerReplica": FREE_LIMIT})
    try:
        cluster.set_replicas(A)
        [tried] = cluster.set_candidates(C)
        tried.faults = Faults(seconds_to_answer=2)
        answers = at_once(40, lambda: cluster.ask("sk-legal", text=MARK))
        assert_complete(answers)
        assert {one.by for one in answers} == {"candidate", "own"}
        assert tried.most_running <= FREE_LIMIT
    finally:
        cluster.close()


def test_without_model_and_candidate_the_api_answers_what_may_leave(trial: Cluster) -> None:
    trial.set_candidates()
    trial.set_replicas()
    assert set(asked(40, trial.ask)) == {"api"}


def test_to_all_requests_and_back_loses_none(tmp_path: Path) -> None:
    """10%, then promoted, then a candidate again that is withdrawn; under load all the time."""
    trial = Cluster(tmp_path, TRIAL)
    try:
        trial.set_replicas(A)
        trial.set_candidates(C)
        _to_all_and_back(trial)
    finally:
        trial.close()


def _to_all_and_back(trial: Cluster) -> None:
    for one in (*trial.replicas.values(), *trial.candidates.values()):
        one.faults = Faults(seconds_a_word=0.02)
    enough = threading.Event()
    asks = (
        lambda: [trial.ask("sk-legal", text=MARK, stream=True), trial.ask("sk-legal", text=MARK)],
        lambda: [trial.ask(stream=True), trial.ask()],
        lambda: marked(trial, stream=True),
    )
    with ThreadPoolExecutor(2 * len(asks)) as clients:
        callers = [clients.submit(_repeated, ask, enough) for ask in asks * 2]
        time.sleep(2)
        _replace(trial, A, B)
        _update(trial, **{"candidate.stage": "promoted"})
        trial.drain_candidate(C)
        time.sleep(2)
        promoted = [one.asked for one in trial.replicas.values()]
        trial.set_candidates(D)
        _update(trial, **{"candidate.stage": "trial"})
        time.sleep(2)
        _update(trial, **{"candidate.stage": "withdrawn"})
        trial.drain_candidate(D)
        _replace(trial, B, A)
        time.sleep(1)
        enough.set()
        answers = [one for caller in callers for one in caller.result()]
    assert_complete(answers)
    assert all(promoted)
    assert {one.by for one in answers} >= {"own", "candidate"}
    assert_nothing_leaked(trial)


def _replace(cluster: Cluster, old: str, new: str) -> None:
    """Replaces the model's replica: the new one is ready before the old one ends."""
    replica = cluster.add_replica(new)
    replica.faults = Faults(seconds_a_word=0.02)
    cluster.write_names(old, new)
    cluster.wait_for_ready(old, new)
    cluster.drain(old)
    cluster.wait_for_ready(new)


def _update(cluster: Cluster, **overrides: object) -> None:
    """Replaces the gateway; the old one ends when its streams have ended."""
    former = cluster.roll_out(**overrides)
    if cluster.candidates and cluster.rendered.names("candidate"):
        cluster.set_candidates(*cluster.candidates)
    time.sleep(3)  # an answer takes a third of a second
    former.stop()


def _repeated(ask: Callable[[], list[Answer]], enough: threading.Event) -> list[Answer]:
    answers = []
    while not enough.is_set():
        answers += ask()
    return answers
