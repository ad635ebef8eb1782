"""A candidate next to the model: its share, what it cannot take, and how it comes and goes.

What an update does in turn is what Pulumi does: it replaces the model's replicas, then the gateway,
and removes what is no longer there last.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import FREE_LIMIT, A, B, C, D, assert_complete, at_once, marked
from tests.gateway.client import Answer
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults

PERCENT, REQUESTS = 10, 3000
TRIAL: dict[str, Any] = {
    "candidate.settings": {"engine.maxRequests": 128},
    "candidate.trafficPercent": PERCENT,
}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, **TRIAL)
    cluster.set_replicas(A)
    cluster.set_candidates(C)
    yield cluster
    assert_nothing_leaked(cluster)
    cluster.close()


def asked(count: int, ask: Callable[[], Answer]) -> Counter[str | None]:
    """Who answered so many requests."""
    with ThreadPoolExecutor(8) as clients:
        answers = [done.result() for done in [clients.submit(ask) for _ in range(count)]]
    assert_complete(answers)
    return Counter(one.by for one in answers)


def until(cluster: Cluster, by: str, ask: Callable[[], Answer]) -> Answer:
    """Asks until a candidate, or the model, has answered; at 10% that takes some."""
    for _ in range(200):
        answer = ask()
        if answer.by == by:
            return answer
    raise AssertionError(cluster.log()[-2000:])


def test_a_candidate_answers_its_share(trial: Cluster) -> None:
    found = asked(REQUESTS, trial.ask)
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
    asked(100, trial.ask)
    [replica], [tried] = trial.replicas.values(), trial.candidates.values()
    for to, server in (("own", replica), ("candidate", tried)):
        assert trial.metric("envoy_gateway_requests", to=to) == len(server.asked), to
        assert trial.metric("envoy_gateway_output_tokens", to=to) > 0, to


@pytest.mark.parametrize(
    "faults", [Faults(status=500), Faults(status=503), Faults(closes=True)], ids=repr
)
def test_a_faulty_candidate_loses_no_request_and_is_counted(trial: Cluster, faults: Faults) -> None:
    [tried] = trial.candidates.values()
    tried.faults = faults
    assert set(asked(150, trial.ask)) == {"own"}
    assert tried.asked
    failed = trial.metric("envoy_gateway_requests", to="candidate")
    assert failed == len(tried.asked)
    assert failed > trial.metric("envoy_gateway_requests", to="candidate", status="200")


def test_a_candidate_that_is_gone_loses_no_request(trial: Cluster) -> None:
    """Killed, so that its name is still there for a while; then without any replica."""
    trial.candidates.pop(C).stop()
    assert set(asked(100, trial.ask)) == {"own"}
    trial.set_candidates()
    assert set(asked(100, trial.ask)) == {"own"}


def test_what_a_full_candidate_cannot_take_goes_to_the_model(trial: Cluster) -> None:
    [tried] = trial.candidates.values()
    tried.faults = Faults(seconds_to_answer=2)
    trial.set_replicas(A, B)
    answers = at_once(120, lambda: trial.ask("sk-legal", text=MARK))
    assert_complete(answers)
    assert tried.most_running <= FREE_LIMIT


def test_without_model_and_candidate_the_api_answers_what_may_leave(trial: Cluster) -> None:
    trial.set_candidates()
    trial.set_replicas()
    assert set(asked(40, trial.ask)) == {"api"}


def test_to_all_requests_and_back_loses_none(trial: Cluster) -> None:
    """10%, then promoted, then a candidate again that is withdrawn; under load all the time."""
    for one in (*trial.replicas.values(), *trial.candidates.values()):
        one.faults = Faults(seconds_a_word=0.02)
    enough = threading.Event()
    asks = (
        lambda: [trial.ask(stream=True), trial.ask()],
        lambda: [trial.ask(text="another", stream=True)],
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
    found = Counter(one.by for one in answers)
    assert set(found) == {"own", "candidate"}, found


def _replace(cluster: Cluster, old: str, new: str) -> None:
    """Replaces the model's replica: the new one is ready before the old one ends."""
    replica = cluster.add_replica(new)
    replica.faults = Faults(seconds_a_word=0.02)
    cluster.write_names(old, new)
    cluster.wait_for_ready(old, new)
    cluster.drain(old)
    cluster.wait_for_ready(new)


def _update(cluster: Cluster, **overrides: object) -> None:
    """Replaces the gateway; the former one ends once its streams have ended."""
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
