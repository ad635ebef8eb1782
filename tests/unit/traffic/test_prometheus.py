"""Counters and rates of vLLM: what was counted is what was served, resets included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.tally import Tally
from tests.unit.traffic.logs import (
    MONDAY,
    counters,
    prometheus_answer,
    read,
    series,
    written,
)


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=20))
def test_increases_add_up_over_resets(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    points: list[tuple[float, float]] = [(0, 1_000)]
    served = 0
    for number, (increase, reset) in enumerate(steps, start=1):
        served += increase
        # A counter that was reset within the step shows what came since.
        shown = increase if reset else points[-1][1] + increase
        if reset and increase >= points[-1][1]:
            shown = points[-1][1] + increase
        points.append((60 * number, shown))
    path = written(tmp_path_factory.mktemp("prometheus") / "answer", counters(points))
    tally = read(path).tally
    assert tally.requests == pytest.approx(served)
    assert tally.input_tokens == pytest.approx(1_000 * served)
    assert tally.output_tokens == pytest.approx(200 * served)
    assert tally.cached_tokens == pytest.approx(250 * served)
    assert tally.input_with_cached == pytest.approx(1_000 * served)
    assert tally.seconds == 60 * len(steps)


def test_series_of_replicas_and_reasons_are_summed(tmp_path: Path) -> None:
    answer = prometheus_answer(
        *(
            series(metric, [(0, 0), (60, 10)], pod=pod)
            for metric in (
                "vllm:prompt_tokens_total",
                "vllm:generation_tokens_total",
                "vllm:request_success_total",
            )
            for pod in ("a", "b", "c")
        )
    )
    tally = read(written(tmp_path / "answer", answer)).tally
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (30, 30, 30)
    assert tally.input_with_cached == 0


def test_a_rate_is_recognized_by_name_and_a_gap_is_not_counted(tmp_path: Path) -> None:
    def rate(name: str, value: float) -> dict[str, object]:
        return series(f"vllm:{name}:rate5m", [(60, value), (120, value), (7200, value)])

    answer = prometheus_answer(
        rate("prompt_tokens", 50), rate("generation_tokens", 10), rate("request_success", 0.5)
    )
    tally = read(written(tmp_path / "answer", answer)).tally
    assert (tally.requests, tally.input_tokens, tally.output_tokens) == (90, 9_000, 1_800)
    assert (tally.start, tally.seconds) == (MONDAY.timestamp(), 7200)


def test_files_that_follow_or_overlap_count_every_increase_once(tmp_path: Path) -> None:
    points: list[tuple[float, float]] = [(60 * number, 7 * number) for number in range(20)]
    whole = read(written(tmp_path / "whole", counters(points))).tally
    first = written(tmp_path / "first", counters(points[:12]))
    second = written(tmp_path / "second", counters(points[8:]))
    parts = read(first, second).tally
    assert parts.requests == whole.requests == pytest.approx(7 * 19)
    assert parts.tokens == whole.tokens
    assert dict(parts.left_out) == {"point of a time that was read before": 4 * 4}


def test_points_out_of_order_and_twice_count_once(tmp_path: Path) -> None:
    path = written(tmp_path / "answer", counters([(120, 30), (0, 10), (60, 20), (60, 20)]))
    assert read(path).tally.requests == 20


def test_values_that_are_no_numbers_are_bad_points(tmp_path: Path) -> None:
    answer = json.loads(counters([(0, 10), (60, 20), (120, 30)]))
    values = ("NaN", "many", 10**400, None, "-1")
    points = [[MONDAY.timestamp() + 180 + second, value] for second, value in enumerate(values)]
    answer["data"]["result"][3]["values"] += [*points, "x"]
    path = written(tmp_path / "answer", json.dumps(answer))
    tally = read(path, max_bad_percent=50).tally
    assert tally.requests == 20
    assert {reason: found.count for reason, found in tally.bad.items()} == {
        "value is not a number of 0 or more": 5,
        "row cannot be read": 1,
    }


def test_counters_that_pause_for_more_than_a_month_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "answer", counters([(-40 * 86_400, 1), (0, 2)]))
    with pytest.raises(TrafficError, match="points are more than 31 days apart"):
        read(path)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"status": "error", "error": "parse error"}', "not a Prometheus response"),
        ('{"status": "success", "data": {"resultType": "vector", "result": []}}', "query_range"),
        (
            (
                '{"status": "success", "data": {"resultType": "matrix", "result": '
                '[{"metric": {}, "values": [[1, "2"]]}]}}'
            ),
            "without a metric name",
        ),
        (
            prometheus_answer(series("vllm:prompt_tokens_total", [(0, 1), (60, 2)])),
            "missing series vllm:generation_tokens_total, vllm:request_success_total",
        ),
        (counters([(0, 1), (40 * 86_400, 2)]), "time in the future"),
    ],
)
def test_an_answer_that_can_not_be_used_is_refused(
    tmp_path: Path, answer: str, message: str
) -> None:
    with pytest.raises(TrafficError, match=message):
        read(written(tmp_path / "answer", answer))


def test_points_of_ten_minutes_are_too_coarse_for_a_burst_and_fine_for_hours(
    tmp_path: Path,
) -> None:
    points: list[tuple[float, float]] = [(600 * number, number) for number in range(10)]
    tally: Tally = read(written(tmp_path / "answer", counters(points))).tally
    assert tally.coarse_tokens == tally.tokens
    assert tally.coarse_requests == 0
