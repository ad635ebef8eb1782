"""The faults of a hybrid deployment, on the gateway's real programs.

In every one of them, requests that may not leave are asked in both ways that mark them: by a header
and by a team. That none reached the API is asserted after each test by the fixture `cluster`.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.asking import (
    FREE_LIMIT,
    LOST,
    A,
    B,
    C,
    D,
    assert_complete,
    assert_cut_cleanly,
    at_once,
    eventually,
    marked,
)
from tests.gateway.client import Answer
from tests.gateway.conftest import ONE_SET, TWO_SETS
from tests.gateway.running import Cluster
from tests.gateway.stand_in import Faults, StandIn

Row = list[Sequence[Answer]]

pytestmark = pytest.mark.parametrize("shared_cluster", [ONE_SET, TWO_SETS], indirect=True)
"""Every fault with one set of gateway pods, and with separate pods that call the API."""


def test_base_load(serving: Cluster, row: Row) -> None:
    free = [serving.ask() for _ in range(5)] + [serving.ask(stream=True) for _ in range(5)]
    inside = marked(serving) + marked(serving, stream=True)
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    assert not serving.api.asked
    row += [free, inside]


def test_burst(serving: Cluster, row: Row) -> None:
    own = serving.replicas[A]
    own.faults = Faults(seconds_to_answer=2)
    free = at_once(20, serving.ask)
    assert_complete(free)
    # Two wait for a connection at a time: of many in one moment a few less may find a place, or
    # the two that waited come after the first; never are more under way.
    found = Counter(one.by for one in free)
    assert found["api"] + found["own"] == 20
    assert 2 <= found["own"] <= FREE_LIMIT + 2
    assert own.most_running <= FREE_LIMIT
    busy = [threading.Thread(target=serving.ask) for _ in range(FREE_LIMIT)]
    for thread in busy:
        thread.start()
    inside = marked(serving)  # own replicas take them, however busy
    for thread in busy:
        thread.join()
    assert_complete(inside)
    assert {one.by for one in inside} == {"own"}
    row += [free, inside]


def test_replica_killed(cluster: Cluster, row: Row) -> None:
    """Between requests, before Kubernetes has noticed; there is another one."""
    cluster.set_replicas(A, B)
    cluster.kill(A)
    # As many as wait for a connection at a time: each must find the other one free.
    free = at_once(2, lambda: cluster.ask(text=f"prompt {time.monotonic_ns()}"))
    inside = marked(cluster)
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    row += [free, inside]


def test_replica_closes_connections(cluster: Cluster, row: Row) -> None:
    """It takes requests, and its health is good, but it ends each connection before an answer."""
    first, _ = cluster.set_replicas(A, B)
    first.faults = Faults(closes=True)
    free = [cluster.ask(text=f"prompt {number}", stream=number % 2 == 0) for number in range(10)]
    inside = marked(cluster) + marked(cluster, stream=True)
    assert first.asked
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    row += [free, inside]


def test_all_replicas_close_connections(cluster: Cluster, row: Row) -> None:
    for replica in cluster.set_replicas(A, B):
        replica.faults = Faults(closes=True)
    free = [cluster.ask(text=f"prompt {number}", stream=number % 2 == 0) for number in range(6)]
    inside = marked(cluster)
    assert_complete(free)
    assert {one.by for one in free} == {"api"}
    assert {one.status for one in inside} == {503}
    row += [free, inside]


def test_last_replica_killed(serving: Cluster, row: Row) -> None:
    serving.kill(A)
    free = [serving.ask(), serving.ask(stream=True)]
    inside = marked(serving)
    assert_complete(free)
    assert {one.by for one in free} == {"api"}
    assert {one.status for one in inside} == {503}
    row += [free, inside]


def test_replica_killed_in_a_stream(cluster: Cluster, row: Row) -> None:
    """What it had begun is cut, and the client can tell; all else is answered by the other one."""
    first, _ = cluster.set_replicas(A, B)
    first.faults = Faults(seconds_a_word=0.02, dies_after_words=10)
    free = [cluster.ask(text=f"prompt {number}", stream=True) for number in range(8)]
    inside = marked(cluster, stream=True)
    cut = [one for one in free + inside if one.cut]
    assert len(cut) == sum(asked.cut for asked in first.asked) > 0
    assert_cut_cleanly(cut)
    assert_complete([one for one in free + inside if not one.cut])
    assert {one.by for one in free + inside} == {"own"}
    assert not cluster.api.asked
    row += [free, inside]


def test_last_replica_killed_in_a_stream(serving: Cluster, row: Row) -> None:
    own = serving.replicas[A]
    own.faults = Faults(seconds_a_word=0.02, dies_after_words=10)
    free = [serving.ask(stream=True)]
    inside = marked(serving, stream=True)
    # Half an answer of one model is not continued by another: the client gets an error and retries.
    assert_cut_cleanly(free + inside)
    row += [free, inside]


def test_node_lost(cluster: Cluster, row: Row) -> None:
    """A machine falls silent: its connections stay open, and Kubernetes has not noticed."""
    first, second = cluster.set_replicas(LOST, B)
    texts = [text for replica in (first, second) for text in _prompts_of(cluster, replica, 2)]
    for replica in (first, second):
        replica.faults = Faults(seconds_to_answer=2.5, seconds_a_word=0.1)
    with ThreadPoolExecutor(24) as clients:
        begun = [clients.submit(cluster.ask, text=text, stream=True) for text in texts]
        held = clients.submit(marked, cluster, stream=True)
        time.sleep(3)  # streams have begun, and the next ones have not
        waiting = [
            clients.submit(cluster.ask, text=f"waits {number}", stream=number % 2 == 0)
            for number in range(3)
        ]
        time.sleep(0.5)
        assert first.asked
        assert second.asked
        cluster.lose(LOST)
        lost_at = time.monotonic()
        waiting += [clients.submit(cluster.ask, text=f"later {number}") for number in range(2)]
        answered = [one.result() for one in waiting]
        free = [one.result() for one in begun] + answered
        inside = held.result()
    assert time.monotonic() - lost_at < 25
    assert_complete(answered)  # nothing is lost before its first token
    assert_cut_cleanly([one for one in free + inside if one.cut])
    assert_complete([one for one in free + inside if not one.cut])
    cluster.wait_for_ready(B)
    second.faults = Faults()
    later = marked(cluster)  # nobody waits for the lost one any more
    assert_complete(later)
    assert max(one.seconds for one in later) < 3
    row += [free, inside + later]


def _prompts_of(cluster: Cluster, replica: StandIn, count: int) -> list[str]:
    """Prompts that the gateway sends to this replica, by the hash of how they begin."""
    found: list[str] = []
    for number in range(200):
        replica.asked.clear()
        assert_complete([cluster.ask(text=f"begun {number}")])
        if replica.asked:
            found.append(f"begun {number}")
            if len(found) == count:
                break
    replica.asked.clear()
    return found


def test_upgrade_with_a_spare_gpu(cluster: Cluster, row: Row) -> None:
    """Each replica's successor is ready before it goes."""
    _upgrade(cluster, row, (A, B), [(A, B, C), (B, C), (B, C, D), (C, D)])


def test_upgrade_without_a_spare_gpu(cluster: Cluster, row: Row) -> None:
    """Each replica goes before its successor comes; a rollback is the same the other way round."""
    _upgrade(cluster, row, (A, B), [(B,), (B, C), (C,), (C, D)])


def _upgrade(
    cluster: Cluster, row: Row, first: tuple[str, ...], then: list[tuple[str, ...]]
) -> None:
    """Goes through sets of ready replicas; who leaves drains as vLLM does, and then ends."""
    cluster.set_replicas(*first)
    asks = (
        lambda: [cluster.ask(text="one caller", stream=True), cluster.ask(text="one caller")],
        lambda: [cluster.ask(text="another"), cluster.ask(text="another", stream=True)],
        lambda: marked(cluster) + marked(cluster, stream=True),
    )
    enough = threading.Event()
    with ThreadPoolExecutor(len(asks)) as clients:
        callers = [clients.submit(_repeated, ask, enough) for ask in asks]
        for ready in then:
            for host in set(cluster.replicas) - set(ready):
                cluster.drain(host)
            for replica in cluster.set_replicas(*ready):
                replica.faults = Faults(seconds_a_word=0.02)
            time.sleep(1)
        enough.set()
        one, another, inside = (caller.result() for caller in callers)
    assert len(one + another) > 4 * len(then)
    assert_complete(one + another + inside)
    assert not cluster.api.asked
    row += [one + another, inside]


def _repeated(ask: Callable[[], list[Answer]], enough: threading.Event) -> list[Answer]:
    answers = []
    while not enough.is_set():
        answers += ask()
    return answers


@pytest.mark.parametrize("status", [500, 503])
def test_replica_answers_with_errors(cluster: Cluster, row: Row, status: int) -> None:
    """As vLLM does while it drains: its health stays good and new requests get 500."""
    draining, _ = cluster.set_replicas(A, B)
    draining.faults = Faults(status=status)
    free = [cluster.ask(text=f"prompt {number}") for number in range(10)]
    inside = marked(cluster)
    assert draining.asked
    assert_complete(free + inside)
    # The retry never asks the same one again, so no money goes out while the other one is free.
    assert {one.by for one in free + inside} == {"own"}
    row += [free, inside]


@pytest.mark.parametrize("status", [500, 503])
def test_all_replicas_answer_with_errors(cluster: Cluster, row: Row, status: int) -> None:
    for replica in cluster.set_replicas(A, B):
        replica.faults = Faults(status=status)
    free = [cluster.ask(text=f"prompt {number}") for number in range(4)]
    inside = marked(cluster)
    assert_complete(free)
    assert {one.by for one in free} == {"api"}
    assert all(one.status >= 500 for one in inside)
    row += [free, inside]


def test_replica_is_unhealthy(cluster: Cluster, row: Row) -> None:
    """It says itself that it cannot: nobody is sent there, and it comes back by itself."""
    first, second = cluster.set_replicas(A, B)
    first.faults = Faults(unhealthy=True, status=500)
    cluster.wait_for_ready(B)
    first.asked.clear()
    free = [cluster.ask(text=f"prompt {number}") for number in range(6)]
    inside = marked(cluster)
    assert_complete(free + inside)
    assert not first.asked
    assert len(second.asked) == len(free + inside)
    first.faults = Faults()
    cluster.wait_for_ready(A, B)
    row += [free, inside]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_request_is_wrong(cluster: Cluster, row: Row, status: int) -> None:
    """For example one that is too long: it gets an error, and is not sent to another replica."""
    for replica in cluster.set_replicas(A, B):
        replica.faults = Faults(status=status)
    free = [cluster.ask()]
    inside = marked(cluster)
    assert {one.status for one in free + inside} == {status}
    assert len(cluster.asked()) == len(free + inside)
    assert not cluster.api.asked
    row += [free, inside]


def test_zero_replicas(cluster: Cluster, row: Row) -> None:
    """Scaled to zero, or the first one is starting."""
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster) + marked(cluster, stream=True)
    assert_complete(free)
    assert {one.by for one in free} == {"api"}
    assert {one.status for one in inside} == {503}
    assert all(int(one.headers["retry-after"]) > 0 for one in inside)
    row += [free, inside]


def test_api_down(serving: Cluster, row: Row) -> None:
    serving.stop_api()
    free = [serving.ask(), serving.ask(stream=True)]
    inside = marked(serving)
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    row += [free, inside]


def test_api_and_replicas_down(cluster: Cluster, row: Row) -> None:
    cluster.stop_api()
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster)
    assert {one.status for one in free + inside} == {503}
    row += [free, inside]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_api_answers_with_errors(cluster: Cluster, row: Row, status: int) -> None:
    """The client learns it, and the API is not asked again for the same request."""
    cluster.api.faults = Faults(status=status)
    free = [cluster.ask()]
    inside = marked(cluster)
    # That the gateway's own key is refused is not the client's fault.
    assert free[0].status == (502 if status == 401 else status)
    assert len(cluster.api.asked) == 1
    assert {one.status for one in inside} == {503}
    row += [free, inside]


def test_api_slow(cluster: Cluster, row: Row) -> None:
    cluster.api.faults = Faults(seconds_to_answer=9)
    free = [cluster.ask()]
    inside = marked(cluster)
    assert {one.status for one in free} == {504}
    assert {one.status for one in inside} == {503}
    assert len(cluster.api.asked) == 1  # not asked again, which would be paid twice
    assert free[0].seconds < 8
    row += [free, inside]


def test_api_cut_in_a_stream(cluster: Cluster, row: Row) -> None:
    cluster.api.faults = Faults(dies_after_words=5)
    free = [cluster.ask(stream=True)]
    assert_cut_cleanly(free)
    assert len(cluster.api.asked) == 1
    row += [free, []]


def test_name_server_down(serving: Cluster, row: Row) -> None:
    """Known addresses are kept: a name server that fails takes no replica away."""
    serving.names.fails = True
    time.sleep(3)  # several refreshes
    free = [serving.ask()]
    inside = marked(serving)
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    row += [free, inside]


def test_store_down(cluster: Cluster, row: Row) -> None:
    """Own replicas serve on; nothing of a team with limits goes out that could not be counted."""
    cluster.set_replicas(A)
    cluster.stop("store")
    try:
        free = [cluster.ask(), cluster.ask(stream=True)]
        inside = marked(cluster)
        cluster.set_replicas()
        refused = [cluster.ask(), cluster.ask(model=cluster.settings.api.in_use)]
    finally:
        cluster.start_store()
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    assert {one.status for one in refused} <= {403, 503}
    assert not cluster.api.asked
    eventually(lambda: cluster.ask().by == "api")
    row += [free + refused, inside]


def test_limits_hang(cluster: Cluster, row: Row) -> None:
    """The service that counts takes connections and says nothing."""
    cluster.set_replicas(A)
    cluster.processes["limits"].send(signal.SIGSTOP)
    try:
        free = [cluster.ask()]
        inside = marked(cluster)
        cluster.set_replicas()
        refused = [cluster.ask()]
    finally:
        cluster.processes["limits"].send(signal.SIGCONT)
    assert_complete(free + inside)
    assert {one.by for one in free + inside} == {"own"}
    assert max(one.seconds for one in free + inside) < 3
    assert {one.status for one in refused} <= {403, 503}
    row += [free + refused, inside]
