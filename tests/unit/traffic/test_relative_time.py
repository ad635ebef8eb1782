"""A trace whose times count from its own start is read, or refused with both readings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.profile import measure
from breakeven.traffic.relative_time import Clock, TimeUnit, unit_of
from tests.unit.traffic.logs import FEW, MONDAY, azure_trace, read, written

DAYS = [5 + 3_600 * hour for hour in range(24 * 8)]
BURSTGPT = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"
WHOLE = "\n".join(["timestamp,input_tokens,output_tokens", *(f"{at},8,3" for at in DAYS)])


def burstgpt() -> str:
    rows = [f"{at},ChatGPT,1000,200,1200,Conversation log" for at in DAYS]
    return "\n".join([BURSTGPT, *rows])


def test_burstgpt_is_seconds_since_a_midnight_that_it_does_not_date(tmp_path: Path) -> None:
    path = written(tmp_path / "trace.csv", burstgpt())
    imported = read(path, zone=ZoneInfo("Europe/Berlin"))
    assert (imported.kinds[0].name, imported.clock) == ("burstgpt", Clock.MIDNIGHT)
    profile = measure(imported.tally, UTC, imported.clock)
    assert (profile.requests, profile.input_tokens, profile.output_tokens) == (192, 1000, 200)
    assert profile.days == pytest.approx(8, rel=0.01)
    assert profile.start is None
    assert profile.rates is not None
    assert len(profile.rates) == 24
    assert any("--start 2026-11-02" in note for note in profile.notes)


def test_a_stated_first_day_gives_a_week(tmp_path: Path) -> None:
    path = written(tmp_path / "trace.csv", burstgpt())
    imported = read(path, start=MONDAY.replace(tzinfo=None))
    profile = measure(imported.tally, UTC, imported.clock)
    assert imported.clock is Clock.KNOWN
    assert imported.tally.start == MONDAY.timestamp() + 5
    assert profile.rates is not None
    assert len(profile.rates) == 168


@pytest.mark.parametrize(
    ("row", "kind", "seconds"),
    [
        (
            {"timestamp": 90_000, "input_length": 8, "output_length": 3, "hash_ids": []},
            "mooncake",
            90,
        ),
        (
            {"chat_id": 1, "timestamp": 90.5, "input_length": 8, "output_length": 3}
            | {"hash_ids": []},
            "qwen-bailian",
            90.5,
        ),
        ({"time_ms": 90_000, "input_tokens": 8, "output_tokens": 3}, "requests-jsonl", 90),
        ({"timestamp": 90.5, "input_tokens": 8, "output_tokens": 3}, "requests-jsonl", 90.5),
    ],
)
def test_the_unit_comes_from_the_trace_its_column_or_fractions(
    tmp_path: Path, row: dict[str, object], kind: str, seconds: float
) -> None:
    time = next(name for name in ("timestamp", "time_ms") if name in row)
    first = {**row, time: 0.25 if isinstance(row[time], float) else 0}
    path = written(tmp_path / "log", "\n".join(map(json.dumps, (first, row, row))))
    imported = read(path)
    assert imported.kinds[0].name == kind
    assert imported.clock is Clock.UNKNOWN
    assert imported.tally.seconds == pytest.approx(seconds, abs=0.3)
    assert measure(imported.tally, UTC, imported.clock).rates is None


def test_whole_numbers_without_a_unit_are_refused_with_both_readings(tmp_path: Path) -> None:
    path = written(tmp_path / "log", WHOLE)
    with pytest.raises(TrafficError, match=r"unknown unit: 8\.0 days if seconds, ") as no:
        read(path)
    assert "--time-unit s or --time-unit ms" in str(no.value)
    assert read(path, time_unit=TimeUnit.SECONDS).tally.seconds == 191 * 3_600
    assert read(path, time_unit=TimeUnit.MILLISECONDS).tally.seconds == pytest.approx(191 * 3.6)


def test_an_odd_time_does_not_make_a_log_relative(tmp_path: Path) -> None:
    rows = ["0,8,3", *(f"{int(MONDAY.timestamp()) + at},8,3" for at in range(9))]
    path = written(tmp_path / "log", "\n".join(["ts,input_tokens,output_tokens", *rows]))
    tally = read(path, max_bad_percent=20).tally
    assert {reason: found.count for reason, found in tally.bad.items()} == {"time before 2015": 1}
    assert tally.requests == 9


def test_bad_times_of_a_trace_are_reported(tmp_path: Path) -> None:
    rows = ["1,8,3", "later,8,3", ",8,3", "-4,8,3", "90,8,3", "95,8,3", "99,8,3", "9e9,8,3"]
    path = written(tmp_path / "log", "\n".join(["time_s,input_tokens,output_tokens", *rows]))
    columns = {"timestamp": "time_s"}
    tally = read(path, columns=columns, start=MONDAY, max_bad_percent=100).tally
    assert {reason: found.count for reason, found in tally.bad.items()} == {
        "time not understood": 2,
        "no time": 1,
        "time in the future": 1,
    }


def test_relative_and_absolute_times_do_not_mix_without_a_start(tmp_path: Path) -> None:
    logs = [written(tmp_path / "a", burstgpt()), written(tmp_path / "b", azure_trace(FEW))]
    with pytest.raises(TrafficError, match="--start 2026-11-02"):
        read(*logs)
    assert read(*logs, start=datetime(2026, 11, 1, tzinfo=UTC)).clock is Clock.KNOWN


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("arrival_time", None),
        ("time (ms)", TimeUnit.MILLISECONDS),
        ("offset-seconds", TimeUnit.SECONDS),
        ("t_s", TimeUnit.SECONDS),
    ],
)
def test_a_column_names_its_unit(column: str, unit: TimeUnit | None) -> None:
    assert unit_of(column, [1, 2]) == unit
