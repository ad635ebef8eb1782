"""What a record says about concurrencies that were not measured."""

from __future__ import annotations

from datetime import date

import pytest

from breakeven.measurements.record import Measurement, Point, Served


def point(concurrency: int, speed: float, first: float | None = 0.1) -> Point:
    return Point(
        concurrency=concurrency,
        output_tokens_per_second=speed,
        first_token_seconds=first,
        inter_token_seconds=0.01 * concurrency,
        requests=10 * concurrency,
    )


def measured(*points: Point) -> Measurement:
    served = Served(
        repository="acme/model",
        revision="",
        precision="bf16",
        gpu="l4",
        tensor_parallel=1,
        pipeline_parallel=1,
        image="vllm",
        flags={},
    )
    return Measurement(
        served=served,
        input_tokens=128,
        output_tokens=64,
        cached_percent=0,
        points=points,
        tool="guidellm",
        day=date(2026, 12, 1),
    )


def test_between_two_points_speed_and_latency_are_on_the_line() -> None:
    found = measured(point(4, 400), point(8, 600, 0.3)).point_for(6)
    assert (found.concurrency, found.requests) == (6, 40)
    assert found.output_tokens_per_second == pytest.approx(500)
    assert found.first_token_seconds == pytest.approx(0.2)
    assert found.inter_token_seconds == pytest.approx(0.06)


def test_a_latency_that_one_point_lacks_is_not_made_up() -> None:
    assert measured(point(4, 400), point(8, 600, None)).point_for(6).first_token_seconds is None


@pytest.mark.parametrize(("asked", "taken"), [(1, 2), (2, 2), (8, 8), (9, 8)])
def test_outside_of_what_was_measured_the_nearest_point_counts(asked: int, taken: int) -> None:
    record = measured(point(2, 200), point(8, 600))
    assert record.point_for(asked).concurrency == taken
