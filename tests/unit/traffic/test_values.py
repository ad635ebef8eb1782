"""A moment is the same however it is written; a count is a whole number or a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.traffic.errors import BadRowError
from breakeven.traffic.values import EARLIEST, TimeReader, read_count, read_tokens

LATEST = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
utc = TimeReader(UTC, LATEST)

seconds = st.integers(int(EARLIEST), int(LATEST))
offsets = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


@given(seconds, offsets)
def test_every_spelling_of_a_moment_is_the_same_moment(moment: int, offset: timedelta) -> None:
    there = datetime.fromtimestamp(moment, timezone(offset))
    here = datetime.fromtimestamp(moment, UTC)
    spellings: list[object] = [
        moment,
        float(moment),
        str(moment),
        f"{moment}.000",
        moment * 1_000,
        str(moment * 1_000),
        moment * 1_000_000,
        str(moment * 1_000_000_000),
        there.isoformat(),
        f" {there.isoformat(sep=' ')} ",
        f"{here:%Y-%m-%dT%H:%M:%SZ}",
        f"{here:%Y-%m-%d %H:%M:%S}.0000000",
        f"{here:%Y-%m-%d %H:%M:%S} UTC",
        f"{here:%Y-%m-%d %H:%M:%S} +0000",
    ]
    assert [utc(spelling) for spelling in spellings] == pytest.approx([moment] * len(spellings))


def test_a_time_without_a_zone_is_in_the_readers_zone() -> None:
    berlin = TimeReader(ZoneInfo("Europe/Berlin"), LATEST)
    assert berlin("2026-07-01 12:00:00") == utc("2026-07-01T10:00:00Z")
    assert berlin("2026-01-01 12:00:00") == utc("2026-01-01T11:00:00Z")
    assert berlin("2026-01-01T12:00:00Z") == utc("2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no time"),
        ("", "no time"),
        ("NaN", "no time"),
        (float("nan"), "no time"),
        ("yesterday", "time not understood"),
        ("2026-13-01", "time not understood"),
        (True, "time not understood"),
        ([1], "time not understood"),
        (float("inf"), "time not understood"),
        ("1" * 30, "time not understood"),
        (-5, "time before 2015"),
        (12.5, "time before 2015"),
        ("2014-12-31T23:59:59Z", "time before 2015"),
        ("2026-11-26T00:00:01Z", "time in the future"),
        (4_000_000_000, "time in the future"),
    ],
)
def test_what_is_no_time_of_a_log_is_a_reason(value: object, reason: str) -> None:
    with pytest.raises(BadRowError, match=f"^{reason}$"):
        utc(value)


@given(st.integers(0, 10**15 - 1))
def test_every_spelling_of_a_count_is_the_same_count(count: int) -> None:
    assert read_count(count, "tokens") == count
    assert read_count(f" {count} ", "tokens") == count
    assert read_count(f"{count}.0", "tokens") == count
    assert read_count(float(count), "tokens") == int(float(count))


@pytest.mark.parametrize("value", [None, "", " ", "null", "NaN", "None", "\\N", float("nan")])
def test_an_empty_field_is_no_count(value: object) -> None:
    assert read_count(value, "tokens") is None


@pytest.mark.parametrize(
    "value", ["-1", "1.5", "many", "1e3", "1,000", -1, 1.5, True, 10**15, float("inf"), [], {}]
)
def test_what_is_no_whole_number_of_0_or_more_is_a_reason_without_the_value(value: object) -> None:
    with pytest.raises(BadRowError, match=r"^input tokens is not a whole number of 0 or more$"):
        read_count(value, "input tokens")


def test_more_cached_than_input_tokens_contradict_each_other() -> None:
    assert read_tokens("5", None, 5) == (5, 0, 5)
    with pytest.raises(BadRowError, match="more cached than input tokens"):
        read_tokens(5, 1, 6)
