"""What is measured is what was put in: volume, lengths, hours of the week, burst."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.demand.load import normalised, read_shape
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.profile import measure
from breakeven.traffic.shape_file import MARK, shape_text
from breakeven.traffic.tally import Tally
from tests.unit.traffic.logs import MONDAY

HOUR = 3_600
DAY = 86_400


def of_hours(rates: list[int], start: datetime = MONDAY, *, tokens: int = 100) -> Tally:
    """A bucket an hour, with that many requests."""
    tally = Tally()
    for number, requests in enumerate(rates):
        tally.interval(
            start.timestamp() + number * HOUR,
            HOUR,
            requests=requests,
            input_tokens=requests * tokens,
            output_tokens=requests * 10,
        )
    return tally


weeks = st.lists(st.integers(1, 500), min_size=168, max_size=168)


@given(weeks, st.integers(0, 167), st.integers(1, 3))
def test_the_shape_of_whole_weeks_is_the_week_that_was_put_in(
    week: list[int], first_hour: int, count: int
) -> None:
    rates = (week * (count + 1))[first_hour : first_hour + 168 * count]
    profile = measure(of_hours(rates, MONDAY + timedelta(hours=first_hour)), UTC)
    assert profile.rates == pytest.approx(week)
    assert profile.tokens_per_day == round(sum(rates) * 110 / (7 * count))


@given(st.lists(st.integers(1, 500), min_size=24, max_size=24), st.integers(24, 150))
def test_less_than_a_week_gives_one_mean_day(day: list[int], hours: int) -> None:
    profile = measure(of_hours((day * 8)[:hours]), UTC)
    assert profile.rates == pytest.approx(day)
    assert any("less than a week" in note for note in profile.notes)


def test_weeks_that_differ_are_averaged() -> None:
    profile = measure(of_hours([10] * 168 + [30] * 168), UTC)
    assert profile.rates == pytest.approx([20] * 168)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        (UTC, 9),
        (ZoneInfo("Europe/Berlin"), 10),
        (ZoneInfo("America/New_York"), 4),
        (ZoneInfo("Pacific/Auckland"), 22),
    ],
)
def test_the_hours_are_the_users(zone: tzinfo, hour: int) -> None:
    busy_at_nine = [100 if number % 24 == 9 else 1 for number in range(168)]
    profile = measure(of_hours(busy_at_nine), zone)
    assert profile.rates is not None
    assert int(np.argmax(profile.rates[:24])) == hour


def test_a_zone_of_half_hours_divides_an_hour_between_two() -> None:
    busy_at_nine = [100 if number % 24 == 9 else 0 for number in range(168)]
    profile = measure(of_hours(busy_at_nine), ZoneInfo("Asia/Kolkata"))
    assert profile.rates is not None
    assert profile.rates[14:16] == pytest.approx([50, 50])


def test_the_hour_that_summer_time_repeats_counts_as_two_hours_of_cover() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)  # Sunday begins in Berlin
    profile = measure(of_hours([10] * 25, start), ZoneInfo("Europe/Berlin"))
    assert profile.rates == pytest.approx([10] * 24)


@given(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=168, max_size=168).filter(any))
def test_what_is_written_is_what_the_estimate_reads(
    tmp_path_factory: pytest.TempPathFactory, count: int, week: list[int]
) -> None:
    profile = measure(of_hours([*week[:-1], week[-1] + 1] * count), UTC)
    text = shape_text(profile, ("a.csv (requests-csv)",), "UTC", date(2026, 11, 25))
    path = tmp_path_factory.mktemp("shape") / "shape"
    path.write_text(text, encoding="utf-8")
    assert profile.rates is not None
    assert read_shape(path) == pytest.approx(normalised(profile.rates), rel=1e-4)


def test_the_shape_file_tells_where_it_comes_from() -> None:
    profile = measure(of_hours([10] * 168 * 2), UTC)
    text = shape_text(profile, ("a.csv (litellm)", "b.csv (litellm)"), "UTC", date(2026, 11, 25))
    assert text.splitlines()[:6] == [
        f"{MARK} on 2026-11-25.",
        "# Source: a.csv (litellm)",
        "# Source: b.csv (litellm)",
        "# Span: 2026-11-02 00:00 to 2026-11-16 00:00 UTC, 3,360 requests; mean of 2.0 weeks.",
        "# Requests of each hour over the mean hour; hours of UTC.",
        "# Monday, 0:00 first",
    ]
    short = measure(of_hours([10]), UTC)
    with pytest.raises(ValueError, match="no rates"):
        shape_text(short, (), "UTC", date(2026, 11, 25))


def test_a_day_is_the_least_for_a_shape() -> None:
    assert measure(of_hours([10] * 24), UTC).rates == pytest.approx([10] * 24)
    profile = measure(of_hours([10] * 23), UTC)
    assert profile.rates is None
    assert "traffic.shape" not in profile.settings("x")
    assert any("less than a day; stays published" in note for note in profile.notes)


def test_days_as_records_tell_no_hours() -> None:
    tally = Tally()
    for day in range(14):
        tally.interval(
            MONDAY.timestamp() + day * DAY, DAY, requests=9, input_tokens=90, output_tokens=9
        )
    profile = measure(tally, UTC)
    assert profile.rates is None
    assert profile.tokens_per_day == 99
    assert any("longer than an hour; stays published" in note for note in profile.notes)


def test_hours_without_requests_count_as_0_and_are_reported() -> None:
    profile = measure(of_hours([10, 0, 0, *[10] * 21] * 7), UTC)
    assert any(note.startswith("14 hours between") for note in profile.notes)
    assert profile.rates is not None
    assert profile.rates[:4] == pytest.approx([10, 0, 0, 10])


def bursts(minutes: list[int]) -> Tally:
    """Requests of 10 and 5 tokens, each minute's spread evenly."""
    tally = Tally()
    for number, count in enumerate(minutes):
        for request in range(count):
            tally.request(MONDAY.timestamp() + 7 + number * 60 + request * 60 / count, 10, 5, None)
    return tally


@given(st.lists(st.integers(4, 30), min_size=60, max_size=60), st.integers(0, 59))
def test_the_burst_is_the_busiest_minute_over_the_mean_of_its_hour(
    minutes: list[int], busiest: int
) -> None:
    minutes[busiest] = 60
    profile = measure(bursts([*minutes, 1]), UTC)
    assert profile.burst_factor == pytest.approx(60 / np.mean(minutes))


def test_an_hour_is_what_surrounds_the_minute_not_all_of_the_log() -> None:
    quiet = [1] * 120
    profile = measure(bursts([*quiet, *[20] * 30, 40, *[20] * 29, *quiet]), UTC)
    assert profile.burst_factor == pytest.approx(40 * 60 / (20 * 59 + 40))


def test_an_even_load_has_no_burst() -> None:
    assert measure(bursts([10] * 100), UTC).burst_factor == pytest.approx(1)


def test_a_burst_of_tokens_is_a_burst() -> None:
    tally = bursts([10] * 61)
    tally.request(MONDAY.timestamp() + 7 + 1_800, 1_350, 0, None)
    assert measure(tally, UTC).burst_factor == pytest.approx(1_500 / (150 + 1_350 / 60))


@pytest.mark.parametrize(
    ("tally", "note"),
    [
        (bursts([1] * 90), "fewer than 100 requests"),
        (of_hours([10] * 24), "records are longer than a minute"),
    ],
)
def test_a_burst_that_can_not_be_measured_is_left_to_the_stack(tally: Tally, note: str) -> None:
    profile = measure(tally, UTC)
    assert profile.burst_factor is None
    assert "traffic.burstFactor" not in profile.settings("x")
    assert any(note in text for text in profile.notes)


def test_a_burst_above_the_settings_limit_is_reported() -> None:
    profile = measure(bursts([1] * 30 + [500] + [1] * 30), UTC)
    assert profile.settings("x")["traffic.burstFactor"] == "20.00"
    assert any("measured a burst of" in note for note in profile.notes)


@pytest.mark.parametrize(("cached", "percent"), [(0, 0), (254, 25), (256, 26), (999, 95)])
def test_the_cached_share_is_of_the_input_that_tells_it(cached: int, percent: int) -> None:
    tally = Tally()
    tally.request(MONDAY.timestamp(), 1_000, 10, cached)
    tally.request(MONDAY.timestamp() + 90, 5_000, 10, None)
    assert measure(tally, UTC).settings("x")["traffic.cachedInputPercent"] == percent


def test_a_log_without_cached_tokens_says_nothing_about_them() -> None:
    assert "traffic.cachedInputPercent" not in measure(of_hours([10]), UTC).settings("x")


@given(
    st.integers(1, 10**6),
    st.floats(1, 10**6),
    st.floats(0, 10**6),
    st.integers(60, 30 * DAY),
)
def test_settings_are_within_what_a_stack_allows(
    requests: int, read: float, wrote: float, seconds: int
) -> None:
    tally = Tally()
    tally.interval(
        MONDAY.timestamp(),
        seconds,
        requests=requests,
        input_tokens=read * requests,
        output_tokens=wrote * requests,
    )
    settings = measure(tally, UTC).settings("x")
    a_day = max(1, min(10**15, (read + wrote) * requests / seconds * DAY))
    assert 1 <= int(str(settings["traffic.tokensPerDay"])) <= 10**15
    assert settings["traffic.tokensPerDay"] == pytest.approx(a_day, rel=1e-9, abs=0.51)
    for key in ("traffic.inputTokens", "traffic.outputTokens"):
        assert 1 <= int(str(settings[key])) <= 1_000_000


def test_nothing_and_next_to_nothing_are_no_traffic() -> None:
    with pytest.raises(TrafficError, match="no request with tokens"):
        measure(Tally(), UTC)
    tally = Tally()
    tally.request(MONDAY.timestamp(), 5, 5, None)
    tally.request(MONDAY.timestamp() + 30, 5, 5, None)
    with pytest.raises(TrafficError, match="span 30 seconds"):
        measure(tally, UTC)
