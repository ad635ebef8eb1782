"""The load of a week: its hours add up to the days, and errors in a file are reported by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.calendar import THIRTY_DAYS
from breakeven.cost.demand.load import (
    SECONDS_PER_DAY,
    Load,
    flat_shape,
    normalised,
    published_shape,
    read_shape,
)

_rates = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60).filter(lambda rates: max(rates) > 0)


def load_of(
    tokens_per_day: int, input_tokens: int, output_tokens: int, share: float, shape: list[float]
) -> Load:
    return Load(
        tokens_per_day=tokens_per_day,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_share=share,
        shape=normalised(shape),
        shape_source="a test",
        burst_factor=1.0,
    )


loads = st.builds(
    load_of,
    st.integers(1, 10**15),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.floats(0.0, 1.0),
    _rates,
)


@given(loads)
def test_requests_of_all_hours_are_the_requests_of_the_days(load: Load) -> None:
    per_day = float(load.requests_per_second().mean()) * SECONDS_PER_DAY
    assert per_day == pytest.approx(float(load.requests_per_day), rel=1e-9)
    assert per_day * load.tokens_per_request == pytest.approx(load.tokens_per_day, rel=1e-9)


def test_a_day_of_a_request_a_second_has_a_request_a_second() -> None:
    load = load_of(86_400 * 12, 7, 5, 0.0, [1.0] * 24)
    assert load.tokens_per_request == 12
    assert load.requests_per_day == 86_400
    assert load.requests_per_second() == pytest.approx([1.0] * 24)


@given(loads)
def test_cached_tokens_are_a_part_of_the_input(load: Load) -> None:
    assert 0 <= load.cached_input_tokens <= load.input_tokens
    assert abs(load.cached_input_tokens - load.input_tokens * load.cached_input_share) <= 0.5


@given(_rates)
def test_a_normalised_shape_has_mean_1_and_the_same_proportions(rates: list[float]) -> None:
    shape = np.asarray(normalised(rates))
    assert shape.mean() == pytest.approx(1)
    assert shape * np.mean(rates) == pytest.approx(np.asarray(rates), rel=1e-9)


@given(st.floats(5e-324, 1.7e308), st.integers(1, 24))
def test_the_unit_of_a_shape_does_not_matter(unit: float, hours: int) -> None:
    assert normalised([unit] * hours) == pytest.approx((1.0,) * hours)


def test_a_flat_week_has_the_same_load_in_each_of_its_hours() -> None:
    assert flat_shape() == (1.0,) * (7 * 24)


def test_the_published_shape_is_the_fortnight_that_its_description_tells() -> None:
    shape, source = published_shape()
    assert len(shape) == 14 * 24
    assert float(np.mean(shape)) == pytest.approx(1)
    assert max(shape) == pytest.approx(2.06, abs=0.005)
    assert min(shape) == pytest.approx(0.21, abs=0.005)
    assert "ServeGen" in source


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_in_order_without_comments_and_empty_lines(tmp_path: Path) -> None:
    lines = [f"{hour}  # hour {hour}" for hour in range(24)]
    path = _write(tmp_path / "shape.csv", "# requests an hour\n\n" + "\n".join(lines) + "\n")
    assert read_shape(path) == pytest.approx([hour / 11.5 for hour in range(24)])


def test_a_file_of_two_days_is_two_days_long(tmp_path: Path) -> None:
    # A comment may stand behind a rate, with further marks of its own; a rate may be 0.
    path = _write(tmp_path / "shape.csv", "0\n" + "1 # one # each\n" * 47)
    assert read_shape(path) == pytest.approx([0.0] + [48 / 47] * 47)


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "many", "1;2", "1,5"])
def test_a_line_that_is_no_rate_is_named(tmp_path: Path, rate: str) -> None:
    path = _write(tmp_path / "shape.csv", "# requests\n" + "1\n" * 5 + f"{rate}\n" + "1\n" * 18)
    with pytest.raises(ValueError, match=rf'^line 7: found "{rate}"; allowed: a rate of 0 or more'):
        read_shape(path)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", 0),
        ("# nothing\n", 0),
        ("1\n" * 23, 23),
        ("1\n" * 25, 25),
        ("1\n" * 10, 10),
        ("0\n" * 24, 24),
    ],
)
def test_a_file_that_is_no_whole_days_or_all_0_is_refused(
    tmp_path: Path, text: str, hours: int
) -> None:
    with pytest.raises(ValueError, match=rf"^found {hours} hours; allowed: whole days"):
        read_shape(_write(tmp_path / "shape.csv", text))


def test_a_file_that_is_no_text_is_refused_as_a_bad_value(tmp_path: Path) -> None:
    path = tmp_path / "shape.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"^cannot be read: not UTF-8$"):
        read_shape(path)


def test_a_file_that_can_not_be_opened_is_refused_as_a_bad_value(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^cannot be read: Is a directory$"):
        read_shape(tmp_path)


def test_a_month_has_its_days_tokens() -> None:
    load = load_of(2_000_000, 500, 500, 0.0, [1.0])
    assert load.tokens_per_month(THIRTY_DAYS) == 60_000_000
