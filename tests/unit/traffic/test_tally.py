"""Nothing is lost or counted twice, in whatever order and granularity it comes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.traffic.tally import MINUTE, QUARTER, SHOWN, Tally

START = 1_790_000_000

requests = st.lists(
    st.tuples(
        st.floats(START, START + 86_400 * 9),
        st.integers(0, 100_000),
        st.integers(1, 100_000),
        st.none() | st.integers(0, 1),
    ),
    min_size=1,
    max_size=30,
)
intervals = st.lists(
    st.tuples(st.floats(START, START + 86_400 * 9), st.floats(0.5, 90_000), st.floats(0, 1e6)),
    min_size=1,
    max_size=10,
)


def quarters(tally: Tally) -> list[float]:
    first, last = int(tally.start // QUARTER), int(tally.end // QUARTER)
    return [tally.requests_of_quarter(quarter) for quarter in range(first, last + 1)]


def minutes(tally: Tally) -> list[float]:
    first = int((tally.start - tally.phase) // MINUTE)
    return tally.tokens_of_minutes(first, int((tally.end - tally.phase) // MINUTE))


@given(requests)
def test_quarters_hold_every_request_and_minutes_every_token(
    log: list[tuple[float, int, int, int | None]],
) -> None:
    tally = Tally()
    for moment, read, wrote, cached in log:
        tally.request(moment, read, wrote, cached)
    assert sum(quarters(tally)) == tally.requests == len(log)
    assert sum(minutes(tally)) == tally.tokens == sum(row[1] + row[2] for row in log)
    assert tally.start == min(row[0] for row in log)
    assert tally.end == max(row[0] for row in log)


@given(requests, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    log: list[tuple[float, int, int, int | None]], shuffle: random.Random
) -> None:
    one, other = Tally(), Tally()
    mixed = list(log)
    shuffle.shuffle(mixed)
    for tally, rows in ((one, log), (other, mixed)):
        for row in rows:
            tally.request(*row)
    assert quarters(one) == quarters(other)
    assert (one.tokens, one.cached_tokens) == (other.tokens, other.cached_tokens)


@given(intervals)
def test_an_interval_is_spread_over_its_time_and_nothing_is_lost(
    log: list[tuple[float, float, float]],
) -> None:
    tally = Tally()
    for start, seconds, amount in log:
        tally.interval(start, seconds, requests=amount, input_tokens=amount, output_tokens=amount)
    total = sum(amount for _, _, amount in log)
    assert sum(quarters(tally)) == pytest.approx(total)
    assert sum(minutes(tally)) == pytest.approx(2 * total)
    assert min(minutes(tally)) >= 0


def test_an_interval_across_two_quarters_counts_half_in_each() -> None:
    tally = Tally()
    edge = QUARTER * 2_000_000
    tally.interval(edge - 30, 60, requests=10, input_tokens=100)
    assert quarters(tally) == pytest.approx([5, 5])


@pytest.mark.parametrize("seconds", [0, -60, 31 * 86_400 + 1, float("nan")])
def test_an_interval_of_no_length_or_without_end_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        Tally().interval(START, seconds, requests=1)


def test_only_the_first_places_of_a_reason_are_kept_and_all_are_counted() -> None:
    tally = Tally()
    for line in range(100):
        tally.reject("no time", f"log line {line}")
    assert tally.bad["no time"].places == [f"log line {line}" for line in range(SHOWN)]
    assert tally.bad_rows == tally.rows == 100


def test_memory_is_a_matter_of_the_span_and_not_of_the_rows() -> None:
    tally = Tally()
    for number in range(20_000):
        tally.request(START + number % 3_600, 1, 1, 0)
    assert len(tally._quarters) <= 5
    assert len(tally._minutes) <= 2
