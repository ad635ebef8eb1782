"""A window is the largest of the latest values, a delay one of them; floats and arrays alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.simulation.arithmetic import (
    DelayOfMany,
    DelayOfOne,
    WindowOfMany,
    WindowOfOne,
)

values = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)
lengths = st.integers(1, 20)


def several(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[list[int]]:
    """Of one length they lie in rows, of several in places of their own."""
    alike = lengths.map(lambda length: [length] * 4)
    return st.one_of(st.lists(lengths, min_size=1, max_size=4), alike)


@given(values, lengths, st.integers(-5, 5).map(float))
def test_a_window_returns_the_largest_of_its_latest_values(
    pushed: list[float], length: int, before: float
) -> None:
    window = WindowOfOne(length, before)
    history = [before] * length
    for value in pushed:
        history.append(value)
        assert window.push(value) == max(history[-length:])


@given(values, several(lengths))
def test_windows_of_many_are_each_a_window_of_one(
    pushed: list[float], many_lengths: list[int]
) -> None:
    starts = np.arange(len(many_lengths)) * 1.0
    windows = WindowOfMany(np.asarray(many_lengths), starts)
    ones = [WindowOfOne(*pair) for pair in zip(many_lengths, starts.tolist(), strict=True)]
    for value in pushed:
        elements = value * (1 - starts)
        together = windows.push(elements)
        assert together.tolist() == [
            one.push(element) for one, element in zip(ones, elements.tolist(), strict=True)
        ]


@given(values, st.integers(0, 20), st.integers(-5, 5).map(float))
def test_a_delay_returns_the_value_of_so_many_steps_before(
    pushed: list[float], length: int, before: float
) -> None:
    delay = DelayOfOne(length, before)
    history = [before] * length
    for value in pushed:
        history.append(value)
        assert delay.push(value) == history[-1 - length]


@given(values, several(st.integers(0, 20)))
def test_delays_of_many_are_each_a_delay_of_one(
    pushed: list[float], many_lengths: list[int]
) -> None:
    starts = np.arange(len(many_lengths)) * 1.0
    delays = DelayOfMany(np.asarray(many_lengths), starts)
    ones = [DelayOfOne(*pair) for pair in zip(many_lengths, starts.tolist(), strict=True)]
    together, apart = [], []
    for value in pushed:
        elements = value * (1 - starts)
        together.append(delays.push(elements))
        apart.append([one.push(each) for one, each in zip(ones, elements.tolist(), strict=True)])
    # Compared at the end: what was given back stays as it was.
    assert [each.tolist() for each in together] == apart
