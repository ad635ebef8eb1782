"""Requests in flight of a team: no more than it may have, and a place is free when one is over."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateway.asking import A, assert_complete, at_once, eventually
from tests.gateway.client import CHAT, Answer, prompt
from tests.gateway.running import Cluster
from tests.gateway.stand_in import Faults
from tests.gateway.test_budgets import api_nano

MOST = 3
BUDGET = 5  # requests by API


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two teams that may have three requests in flight, one with a budget, and another team."""
    teams: Mapping[str, Mapping[str, object]] = {
        "three": {"requestsInFlight": MOST, "dataMayLeave": False},
        "paying": {"requestsInFlight": MOST, "usdPerMonth": str(BUDGET * api_nano() / 10**9)},
        "others": {},
    }
    cluster = Cluster(tmp_path_factory.mktemp("few"), teams=teams)
    yield cluster
    cluster.close()


@pytest.fixture
def free(few: Cluster) -> Iterator[Cluster]:
    """The same with one replica; checks that nothing is in flight when a test has ended."""
    few.begin_anew()
    few.set_replicas(A)
    yield few
    few.begin_anew()
    eventually(lambda: {one.status for one in at_once(MOST, ask(few))} == {200})


def ask(cluster: Cluster) -> Any:
    return lambda: cluster.ask("sk-three")


def opened(cluster: Cluster, *, stream: bool, key: str = "sk-three") -> http.client.HTTPConnection:
    """Asks, and reads nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=30)
    body = {"model": cluster.model, **prompt(CHAT, "hello"), "stream": stream}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection.request("POST", CHAT, json.dumps(body), headers)
    return connection


def running(cluster: Cluster, count: int) -> None:
    eventually(lambda: cluster.replicas[A].running == count)


def refused(answer: Answer) -> bool:
    """Whether it is the refusal of one request too many, and says so."""
    if answer.status != 429:
        return False
    error = json.loads(answer.text)["error"]
    assert error["message"] == "the team has 3 requests in flight, which is its limit"
    assert error["code"] == 429
    assert int(answer.headers["retry-after"]) == 1
    return True


@pytest.mark.parametrize("stream", [False, True])
def test_one_request_too_many_is_refused(free: Cluster, *, stream: bool) -> None:
    """At once, without its body being read; other teams are answered meanwhile."""
    free.replicas[A].faults = Faults(seconds_a_word=0.2)
    with ThreadPoolExecutor(MOST) as clients:
        under_way = [clients.submit(free.ask, "sk-three", stream=stream) for _ in range(MOST)]
        running(free, MOST)
        for _ in range(5):
            assert refused(free.ask("sk-three"))
        assert refused(free.call("POST", CHAT, key="sk-three", body=b" " * 2**20))
        assert len(free.asked()) == MOST
        assert not free.api.asked
        assert free.ask("sk-others").status == 200
        assert_complete([one.result() for one in under_way])
    free.begin_anew()
    assert free.ask("sk-three").status == 200


def test_each_place_is_free_as_soon_as_its_request_is_over(free: Cluster) -> None:
    """Three clients that ask one after the other are never refused."""
    with ThreadPoolExecutor(MOST) as clients:
        for done in [
            clients.submit(lambda: [free.ask("sk-three") for _ in range(30)]) for _ in range(MOST)
        ]:
            assert_complete(done.result())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_place(free: Cluster, *, stream: bool) -> None:
    free.replicas[A].faults = Faults(seconds_a_word=0.5)
    held = [opened(free, stream=stream) for _ in range(MOST)]
    running(free, MOST)
    assert refused(free.ask("sk-three"))
    for connection in held:
        connection.close()
    free.begin_anew()
    eventually(lambda: free.ask("sk-three").status == 200)


def test_a_stream_that_is_cut_frees_its_place(free: Cluster) -> None:
    free.replicas[A].faults = Faults(dies_after_words=3)
    for _ in range(3):
        for answer in at_once(MOST, lambda: free.ask("sk-three", stream=True)):
            assert answer.cut or answer.status == 503  # the replica is out for a while


@pytest.mark.parametrize(
    "faults",
    [Faults(status=400), Faults(status=500), Faults(closes=True)],
    ids=["400", "500", "closes"],
)
def test_a_request_that_fails_frees_its_place(free: Cluster, faults: Faults) -> None:
    free.replicas[A].faults = faults
    for _ in range(3):
        for answer in at_once(MOST, ask(free)):
            assert answer.status != 429


def test_a_refused_request_takes_no_place(free: Cluster) -> None:
    """One that has a wrong body, or no model of the stack."""
    for body in (b"", b"[]", b'{"model":"no such"}'):
        for _ in range(2 * MOST):
            assert free.call("POST", CHAT, key="sk-three", body=body).status in (400, 404)


def test_a_body_that_does_not_end_takes_a_place(free: Cluster) -> None:
    """So that one team's bodies under way, which are held in memory, have a bound as well."""
    head = (
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-three\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    with contextlib.ExitStack() as held:
        for _ in range(MOST):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", free.port)))
            connection.sendall(head)
        eventually(lambda: refused(free.ask("sk-three")))
        assert free.ask("sk-others").status == 200
    eventually(lambda: free.ask("sk-three").status == 200)


def test_a_team_passes_its_budget_by_what_it_may_have_in_flight_at_most(free: Cluster) -> None:
    """8 clients that ask one request after the other, for a budget of five requests by API."""
    free.set_replicas()
    used_up = threading.Event()

    def client() -> list[int]:
        found: list[int] = []
        while not used_up.wait(0.05):
            answer = free.ask("sk-paying", stream=len(found) % 2 == 0)
            found.append(answer.status)
            if "used up a limit" in answer.text:
                time.sleep(1)
                used_up.set()
        return found

    with ThreadPoolExecutor(8) as clients:
        all_of_them = [clients.submit(client) for _ in range(8)]
        in_time = used_up.wait(60)
        used_up.set()
        seen = [status for done in all_of_them for status in done.result()]
    assert in_time, Counter(seen)
    # On a machine that is busy the service may answer too late: then nothing goes out.
    assert set(seen) <= {200, 429, 503}
    # December has two halves, each with half the budget.
    assert BUDGET // 2 <= len(free.api.asked) <= BUDGET + MOST
    free.set_replicas(A)
