"""Break-even holds against an API whose cost is not a line through the origin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.api_curve import ApiCurve
from breakeven.cost.break_even import BreakEven, find_break_even
from tests.unit.cost.test_break_even import LARGEST, Case, case_of, cases


@st.composite
def curves(draw: st.DrawFn, case: Case) -> ApiCurve:
    """A curve that rises along with a case's costs: a fee, then slopes that change at bends."""
    largest = case.staircase.steps(LARGEST).to_tokens_per_day[-1]
    bends = sorted(draw(st.lists(st.floats(0.01, 1.5), max_size=4, unique=True)))
    slopes = [draw(st.floats(0, 2)) * float(case.slope) for _ in range(len(bends) + 1)]
    fee = draw(st.sampled_from([0.0, 1.0])) * float(case.fixed_monthly + case.node_monthly)
    volumes = np.asarray(bends) * largest
    lengths = np.diff(np.concatenate(([0.0], volumes)))
    costs = fee + np.cumsum(lengths * np.asarray(slopes[:-1]))
    return ApiCurve(fee=fee, slope=slopes[-1], bends=volumes, at_bends=costs)


def in_a_range(found: BreakEven, volume: float) -> bool:
    return any(
        one.from_tokens_per_day <= volume
        and (one.to_tokens_per_day is None or volume <= one.to_tokens_per_day)
        for one in found.cheaper
    )


@given(st.data())
def test_inside_the_ranges_self_hosting_costs_less_and_outside_it_does_not(
    data: st.DataObject,
) -> None:
    case = data.draw(cases())
    curve = data.draw(curves(case))
    steps = case.staircase.steps(LARGEST)
    found = find_break_even(case.staircase, curve, LARGEST)
    ends = steps.to_tokens_per_day
    tried: NDArray[np.float64] = np.linspace(ends[-1] / 500, ends[-1], 500)
    own = steps.monthly[np.searchsorted(ends, tried)] + steps.token_monthly * tried
    saved = curve.at(tried) - own
    for volume, saving, cost in zip(tried.tolist(), saved.tolist(), own.tolist(), strict=True):
        if abs(saving) > 1e-6 * max(cost, 1.0):
            assert in_a_range(found, volume) == (saving > 0), volume


@given(st.data())
def test_a_line_has_the_cost_of_its_slope_and_scales(data: st.DataObject) -> None:
    slope, fee = data.draw(st.floats(0, 10)), data.draw(st.floats(0, 1000))
    volumes = np.asarray([0.0, 1.0, 1e9])
    line = ApiCurve.line(slope, fee)
    assert line.at(volumes).tolist() == [fee, fee + slope, fee + slope * 1e9]
    assert line.times(2).at(volumes).tolist() == pytest.approx((2 * line.at(volumes)).tolist())


def test_a_flat_fee_is_beaten_from_the_first_token_up_to_the_node_that_costs_more() -> None:
    found = find_break_even(case_of([1.0], follow=False).staircase, ApiCurve.line(0, 2.5), LARGEST)
    [only] = found.cheaper
    assert only.from_tokens_per_day == 0
    assert only.to_tokens_per_day == 2  # a third node costs 3 USD


def test_where_the_fee_alone_costs_more_than_one_node_it_pays_at_once() -> None:
    found = find_break_even(case_of([1.0], follow=False).staircase, ApiCurve.line(2, 10), LARGEST)
    assert found.first_volume == 0
