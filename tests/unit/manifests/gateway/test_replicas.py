"""Which own replica takes a request."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_replicas import Replicas, Watcher, requests_in


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_running_and_waiting_of_all_engines_are_added() -> None:
    assert (
        requests_in(
            "# TYPE vllm:num_requests_running gauge\n"
            'vllm:num_requests_running{engine="0",model_name="m"} 3.0\n'
            'vllm:num_requests_running{engine="1",model_name="m"} 4.0\n'
            'vllm:num_requests_waiting{engine="0",model_name="m"} 5.0\n'
            'vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 5.0\n'
        )
        == 12
    )


@pytest.mark.parametrize(
    "text",
    ["", "<html>", *(f"vllm:num_requests_running {odd}" for odd in ("nonsense", "+Inf", "NaN"))],
)
def test_what_is_no_vllm_is_no_replica(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of float or of ours
        requests_in(text)


def test_a_burst_between_two_looks_is_seen() -> None:
    replicas = Replicas(100)
    replicas.update({"a": 0})
    for number in range(3):
        assert replicas.reserve(f"request {number}", 3)
        replicas.send(f"request {number}", "prompt")
    assert not replicas.reserve("one more", 3)
    replicas.finished("request 0")
    assert replicas.reserve("one more", 3)


def test_requests_that_come_together_do_not_share_the_last_place() -> None:
    # All are asked for before the first is sent.
    replicas = Replicas(100)
    replicas.update({"a": 0, "b": 1})
    assert [replicas.reserve(f"request {number}", 2) for number in range(5)] == [
        *([True] * 3),
        *([False] * 2),
    ]
    assert replicas.send("request 0", "prompt") in ("a", "b")
    assert not replicas.reserve("one more", 2)


def test_a_request_is_not_counted_twice() -> None:
    replicas = Replicas(100)
    replicas.update({"a": 0})
    replicas.send("request", "prompt")
    replicas.update({"a": 1})
    assert replicas.ready() == {"a": 1}


def test_an_end_that_was_missed_counts_as_over_in_time() -> None:
    clock = Clock()
    replicas = Replicas(100, clock)
    replicas.update({"a": 0})
    replicas.send("request", "prompt")
    clock.now = 101
    replicas.update({"a": 0})
    assert replicas.ready() == {"a": 0}


def test_nothing_is_ready_that_was_not_seen_for_long() -> None:
    clock = Clock()
    replicas = Replicas(100, clock)
    assert not replicas.reserve("request", 1)
    replicas.update({"a": 0})
    clock.now = 10.1
    assert replicas.ready() == {}
    assert replicas.send("request", "prompt") is None


ADDRESSES = [f"10.0.0.{number}:8000" for number in range(5)]


def placed(addresses: list[str], prompts: list[str]) -> dict[str, str | None]:
    where = {}
    for prompt in prompts:
        replicas = Replicas(100)
        replicas.update(dict.fromkeys(addresses, 0))
        where[prompt] = replicas.send("request", prompt)
    return where


def test_prompts_that_begin_alike_go_to_the_same_replica_and_others_spread() -> None:
    prompts = [f"prompt {number}" for number in range(200)]
    assert placed(ADDRESSES, prompts) == placed(ADDRESSES[::-1], prompts)
    spread = Counter(placed(ADDRESSES, prompts).values())
    assert len(spread) == len(ADDRESSES)
    assert max(spread.values()) < 80


def test_when_a_replica_goes_only_its_own_prompts_move() -> None:
    prompts = [f"prompt {number}" for number in range(200)]
    before, after = placed(ADDRESSES, prompts), placed(ADDRESSES[1:], prompts)
    moved = {prompt for prompt in prompts if before[prompt] != after[prompt]}
    assert moved == {prompt for prompt in prompts if before[prompt] == ADDRESSES[0]}


@given(
    st.dictionaries(st.sampled_from(ADDRESSES), st.integers(0, 50), min_size=1),
    st.text(max_size=20),
)
def test_no_replica_is_much_busier_than_the_mean_for_the_sake_of_its_cache(
    busy: dict[str, int], prompt: str
) -> None:
    replicas = Replicas(100)
    replicas.update(busy)
    chosen = replicas.send("request", prompt)
    assert chosen is not None
    assert busy[chosen] < 1.25 * (sum(busy.values()) + 1) / len(busy) + 1


def test_a_replica_that_failed_is_not_tried_again() -> None:
    replicas = Replicas(100)
    replicas.update({"a": 0, "b": 0})
    first = replicas.send("request", "prompt")
    second = replicas.send("request", "prompt", [str(first)])
    assert {first, second} == {"a", "b"}
    assert replicas.send("request", "prompt", ["a", "b"]) is None


def test_slow_is_busy_and_refused_is_gone() -> None:
    replicas = Replicas(100)
    answers: dict[str, str | OSError] = {
        "a": "vllm:num_requests_running 7",
        "b": "vllm:num_requests_running 8",
    }

    def metrics(address: str) -> str:
        answer = answers[address]
        if isinstance(answer, OSError):
            raise answer
        return answer

    watcher = Watcher(replicas, lambda: list(answers), metrics)
    watcher.look()
    assert replicas.ready() == {"a": 7, "b": 8}
    answers.update(a=TimeoutError(), b=ConnectionRefusedError())
    watcher.look()
    assert replicas.ready() == {"a": 7}


def test_a_replica_that_is_silent_for_ten_seconds_is_lost() -> None:
    clock = Clock()
    answers: list[str] = []

    def metrics(address: str) -> str:
        if not answers:
            raise TimeoutError(address)
        return answers[0]

    replicas = Replicas(100, clock)
    watcher = Watcher(replicas, lambda: ["a"], metrics, clock=clock)
    for now, silent, ready in (
        (0, True, {}),  # never seen
        (1, False, {"a": 7}),
        (10, True, {"a": 7}),
        (10.9, True, {"a": 7}),
        (11, True, {}),
        (12, True, {}),
        (13, False, {"a": 7}),
    ):
        clock.now = now
        answers[:] = [] if silent else ["vllm:num_requests_running 7"]
        watcher.look()
        assert replicas.ready() == ready, now


def test_a_name_without_addresses_means_no_replica() -> None:
    replicas = Replicas(100)
    replicas.update({"a": 0})

    def none() -> list[str]:
        raise OSError

    Watcher(replicas, none, lambda address: address).look()
    assert replicas.ready() == {}


def test_the_watcher_looks_on_after_what_it_did_not_expect(
    caplog: pytest.LogCaptureFixture,
) -> None:
    replicas, errors = Replicas(100), [RuntimeError("secret")]

    def found() -> list[str]:
        if errors:
            raise errors.pop()
        return ["a"]

    watcher = Watcher(replicas, found, lambda _: "vllm:num_requests_running 7", seconds=0.01)
    watcher.start()
    deadline = time.monotonic() + 10
    while not replicas.ready() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert replicas.ready() == {"a": 7}
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
