"""The faults of a hybrid deployment, on the real gateway program.

In every one of them, requests that may not leave are asked in both ways that mark them: by a header
and by a team. That none reached the API is asserted after each test by the fixture `cluster`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.gateway.running import MARK, Answer, Cluster
from tests.gateway.stand_in import WORDS, Faults

A, B, C, D = "127.0.0.11", "127.0.0.12", "127.0.0.14", "127.0.0.15"
LOST = "127.0.0.13"
_FREE_LIMIT = 4  # gateway.overflow.requestsPerReplica of these tests


def marked(cluster: Cluster, *, stream: bool = False) -> list[Answer]:
    """Asks by header, by a header that is misspelt, and by a team whose data may not leave."""
    return [
        cluster.ask(text=MARK, stream=stream, headers={"X-Stay-Inside": "true"}),
        cluster.ask(text=MARK, stream=stream, headers={"X-Stay-Inside": "flase"}),
        cluster.ask("sk-legal", text=MARK, stream=stream),
    ]


def assert_complete(answers: list[Answer]) -> None:
    """Fails for an answer that is cut, or has a word too few or twice."""
    for one in answers:
        assert one.whole
        assert one.words() == [str(number) for number in range(WORDS)]


def at_once(count: int, ask: Callable[[], Answer]) -> list[Answer]:
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def told(answers: list[Answer]) -> str:
    """A cell of the table."""
    names = {"again": "own", "inside": "own"}
    kinds = Counter(
        names.get(str(one.by), str(one.by))
        if one.whole
        else f"refused {one.status}"
        if one.status != 200
        else "cut, with an error"
        for one in answers
    )
    slowest = max(one.seconds for one in answers)
    shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{shown} (up to {slowest:.1f} s)"


def test_base_load(cluster: Cluster, row: list[str]) -> None:
    cluster.set_replicas(A)
    free = [cluster.ask() for _ in range(5)] + [cluster.ask(stream=True) for _ in range(5)]
    inside = marked(cluster) + marked(cluster, stream=True)
    assert all(one.whole and one.by in ("own", "inside") for one in free + inside)
    assert not cluster.api.asked
    row += [told(free), told(inside)]


def test_burst(cluster: Cluster, row: list[str]) -> None:
    [own] = cluster.set_replicas(A)
    own.faults = Faults(seconds_to_answer=2)
    free = at_once(20, cluster.ask)
    assert all(one.whole for one in free)
    assert Counter(one.by for one in free) == {"own": _FREE_LIMIT, "api": 20 - _FREE_LIMIT}
    assert len(own.asked) == _FREE_LIMIT
    busy = [threading.Thread(target=cluster.ask) for _ in range(_FREE_LIMIT)]
    for thread in busy:
        thread.start()
    inside = marked(cluster)  # wait for the own replica, however busy
    for thread in busy:
        thread.join()
    assert all(one.whole and one.by == "inside" for one in inside)
    row += [told(free), told(inside)]


def test_replica_killed(cluster: Cluster, row: list[str]) -> None:
    """Between requests, before Kubernetes has noticed; there is another one."""
    cluster.set_replicas(A, B)
    cluster.kill(A)
    free = at_once(8, lambda: cluster.ask(text=f"prompt {time.monotonic_ns()}"))
    inside = marked(cluster)
    assert all(one.whole for one in free + inside)
    assert all(one.by in ("inside", "again") for one in inside)
    row += [told(free), told(inside)]


def test_last_replica_killed(cluster: Cluster, row: list[str]) -> None:
    cluster.set_replicas(A)
    cluster.kill(A)
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster)
    assert all(one.whole and one.by == "api" for one in free)
    assert all(one.status == 503 for one in inside)
    row += [told(free), told(inside)]


def test_replica_killed_in_a_stream(cluster: Cluster, row: list[str]) -> None:
    """Another replica goes on where the first one broke off."""
    first, second = cluster.set_replicas(A, B)
    first.faults = Faults(seconds_a_word=0.1, dies_after_words=10)
    free = [cluster.ask(text=f"prompt {number}", stream=True) for number in range(6)]
    inside = marked(cluster, stream=True)
    assert any(asked.cut for asked in first.asked)
    assert len(second.asked) == len(free + inside)
    assert_complete(free + inside)
    row += [told(free), told(inside)]


def test_last_replica_killed_in_a_stream(cluster: Cluster, row: list[str]) -> None:
    [own] = cluster.set_replicas(A)
    own.faults = Faults(seconds_a_word=0.1, dies_after_words=10)
    free = [cluster.ask(stream=True)]
    inside = marked(cluster, stream=True)
    # Half an answer of one model is not continued by another: the client is told, and asks again.
    for one in free + inside:
        assert not one.whole
        assert '"error"' in one.text
        assert "[DONE]" not in one.text
    row += [told(free), told(inside)]


def test_node_lost(cluster: Cluster, row: list[str]) -> None:
    """A machine falls silent: its connections stay open, and Kubernetes has not noticed."""
    first, second = cluster.set_replicas(LOST, B)
    first.faults = second.faults = Faults(seconds_to_answer=3, seconds_a_word=0.1)
    with ThreadPoolExecutor(16) as clients:
        under_way = [
            clients.submit(cluster.ask, text=f"prompt {number}", stream=number % 2 == 0)
            for number in range(4)
        ]
        held = [clients.submit(marked, cluster, stream=stream) for stream in (True, False)]
        time.sleep(4)  # streams have begun
        assert first.asked
        assert second.asked
        cluster.lose(LOST)
        under_way += [
            clients.submit(cluster.ask, text=f"later {number}", stream=number % 2 == 0)
            for number in range(4)
        ]
        free = [one.result() for one in under_way]
        inside = [answer for one in held for answer in one.result()]
    assert_complete(free + inside)
    cluster.wait_for_ready(1)
    later = marked(cluster)  # nobody waits for the lost one any more
    assert all(one.whole and one.by == "inside" and one.seconds < 8 for one in later)
    row += [told(free), told(inside + later)]


def test_upgrade_with_a_spare_gpu(cluster: Cluster, row: list[str]) -> None:
    """Each replica's successor is ready before it goes."""
    _upgrade(cluster, row, (A, B), [(A, B, C), (B, C), (B, C, D), (C, D)])


def test_upgrade_without_a_spare_gpu(cluster: Cluster, row: list[str]) -> None:
    """Each replica goes before its successor comes; a rollback is the same the other way round."""
    _upgrade(cluster, row, (A, B), [(B,), (B, C), (C,), (C, D)])


def _upgrade(
    cluster: Cluster, row: list[str], first: tuple[str, ...], then: list[tuple[str, ...]]
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
                replica.faults = Faults(seconds_a_word=0.05)
            time.sleep(2)
        enough.set()
        one, another, inside = (caller.result() for caller in callers)
    assert len(one + another) > 4 * len(then)
    assert_complete(one + another + inside)
    assert not cluster.api.asked
    row += [told(one + another), told(inside)]


def _repeated(ask: Callable[[], list[Answer]], enough: threading.Event) -> list[Answer]:
    answers = []
    while not enough.is_set():
        answers += ask()
    return answers


def test_replica_answers_with_errors(cluster: Cluster, row: list[str]) -> None:
    """As vLLM does while it drains: its health stays good and new requests get 500."""
    draining, _ = cluster.set_replicas(A, B)
    draining.faults = Faults(status=500)
    free = [cluster.ask(text=f"prompt {number}") for number in range(10)]
    inside = marked(cluster)
    assert draining.asked
    assert all(one.whole and one.by in ("own", "again", "inside") for one in free + inside)
    row += [told(free), told(inside)]


def test_request_is_wrong(cluster: Cluster, row: list[str]) -> None:
    """Such as one that is too long: it is told so, and not sent from one to the next."""
    first, second = cluster.set_replicas(A, B)
    free = []
    for status in (400, 413, 422):
        first.faults = second.faults = Faults(status=status)
        free.append(cluster.ask())
        assert 400 <= free[-1].status < 500
    inside = marked(cluster)
    assert len(first.asked) + len(second.asked) == len(free) + len(inside)
    assert not cluster.api.asked
    row += [told(free), told(inside)]


def test_zero_replicas(cluster: Cluster, row: list[str]) -> None:
    """Scaled to zero, or the first one is starting."""
    before = cluster.metric("breakeven_gateway_requests_total")
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster) + marked(cluster, stream=True)
    assert all(one.whole and one.by == "api" for one in free)
    assert all(one.status == 503 and one.headers["retry-after"] == "30" for one in inside)
    # What the scaler reads: also the refused ones ask for a replica.
    assert cluster.metric("breakeven_gateway_requests_total") == before + len(free + inside)
    row += [told(free), told(inside)]


def test_api_down(cluster: Cluster, row: list[str]) -> None:
    cluster.set_replicas(A)
    cluster.api.stop()
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster)
    assert all(one.whole and one.by in ("own", "inside") for one in free + inside)
    row += [told(free), told(inside)]


def test_api_and_replicas_down(cluster: Cluster, row: list[str]) -> None:
    cluster.api.stop()
    free = [cluster.ask(), cluster.ask(stream=True)]
    inside = marked(cluster)
    assert all(one.status == 503 for one in free + inside)
    row += [told(free), told(inside)]


def test_api_slow(cluster: Cluster, row: list[str]) -> None:
    cluster.api.faults = Faults(seconds_to_answer=6)
    free = [cluster.ask()]
    inside = marked(cluster)
    assert all(one.status == 408 for one in free)
    assert all(one.status == 503 for one in inside)
    assert len(cluster.api.asked) == 1  # not asked again, which would be paid twice
    row += [told(free), told(inside)]


def test_key_over_its_tokens(cluster: Cluster, row: list[str]) -> None:
    cluster.set_replicas(A)
    answers: list[Answer] = []
    while not answers or answers[-1].status == 200:
        answers.append(cluster.ask("sk-small"))
        assert len(answers) < 20, "50 tokens allow two requests of 30, and those under way"
        time.sleep(0.3)
    assert answers[-1].status == 429
    assert "50 tokens of today" in answers[-1].text
    assert 2 <= len(answers) - 1 <= 4
    inside = [cluster.ask("sk-small", text=MARK, headers={"X-Stay-Inside": "1"})]
    assert inside[0].status == 429
    row += [told(answers), told(inside)]


def test_key_over_its_money(cluster: Cluster, row: list[str]) -> None:
    """$0.00003 buys one request by API, which costs $0.000036."""
    answers: list[Answer] = []
    while not answers or answers[-1].status == 200:
        answers.append(cluster.ask("sk-poor"))
        assert len(answers) < 20
        time.sleep(0.3)
    assert answers[-1].status == 429
    assert "of this month" in answers[-1].text
    row += [told(answers), "-"]


def test_store_down(cluster: Cluster, row: list[str]) -> None:
    """Own replicas serve on; nothing goes out that could not be counted."""
    cluster.set_replicas(A)
    cluster.stop_store()
    free = [cluster.ask()]
    inside = marked(cluster)
    cluster.set_replicas()
    refused = [cluster.ask(), cluster.ask(model=cluster.settings.api.in_use)]
    cluster.start_store_again()
    assert [one.by for one in free + inside] == ["inside"] * 4, free
    assert [one.status for one in refused] == [503, 403]
    assert not cluster.api.asked
    row += [told(free + refused), told(inside)]
