"""Ways of asking that several files of tests share, and what they say of the answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.gateway.answers import WORDS
from tests.gateway.client import Answer
from tests.gateway.running import MARK, Cluster

A, B, C, D = "127.0.0.11", "127.0.0.12", "127.0.0.14", "127.0.0.15"
LOST = "127.0.0.13"
FREE_LIMIT = 4
"""gateway.overflow.requestsPerReplica of these tests."""


def marked(cluster: Cluster, *, stream: bool = False) -> list[Answer]:
    """Asks by header, by a header that is misspelt, and by a team whose data may not leave."""
    return [
        cluster.ask(text=MARK, stream=stream, headers={"X-Stay-Inside": "true"}),
        cluster.ask(text=MARK, stream=stream, headers={"X-Stay-Inside": "flase"}),
        cluster.ask("sk-legal", text=MARK, stream=stream),
    ]


def assert_complete(answers: Sequence[Answer]) -> None:
    """Fails for an answer that is cut, or has a word too few or twice."""
    for one in answers:
        assert one.whole, one
        assert one.words() == [str(number) for number in range(WORDS)], one


def assert_cut_cleanly(answers: Sequence[Answer]) -> None:
    """Fails unless clients can tell that these streams ended too early, without a wrong word."""
    for one in answers:
        assert one.cut, one
        assert "[DONE]" not in one.text
        words = one.words()
        assert words, "nothing is lost before its first token"
        assert words == [str(number) for number in range(len(words))]


def at_once(count: int, ask: Callable[[], Answer]) -> list[Answer]:
    """Asks by so many clients at the same time."""
    start = threading.Barrier(count)

    def one() -> Answer:
        start.wait()
        return ask()

    with ThreadPoolExecutor(count) as clients:
        return [done.result() for done in [clients.submit(one) for _ in range(count)]]


def asked(count: int, ask: Callable[[], Answer]) -> Counter[str | None]:
    """Who answered so many requests, none of which is lost."""
    with ThreadPoolExecutor(4) as clients:
        answers = [done.result() for done in [clients.submit(ask) for _ in range(count)]]
    assert_complete(answers)
    return Counter(one.by for one in answers)


def told(answers: Sequence[Answer]) -> str:
    """A cell of the table."""
    kinds = Counter(
        "cut" if one.cut else str(one.by) if one.status == 200 else f"refused {one.status}"
        for one in answers
    )
    slowest = max(one.seconds for one in answers)
    shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{shown} (up to {slowest:.1f} s)"


def eventually(holds: Callable[[], bool]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
