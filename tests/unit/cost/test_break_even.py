"""Break-even against a brute force that runs the estimate's own simulation at each volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.api_curve import ApiCurve
from breakeven.cost.break_even import BreakEven, Staircase, find_break_even
from breakeven.cost.fleet.plan import Fleet, FleetCurve, plan_week
from tests.unit.cost.strategies import LONGEST_START_SECONDS, bursts, capacities, money, profiles

LARGEST = 6
NARROW = 1e-6
"""Relative width below which a range is rounding, to the tolerance of the simulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fleet and its price, as the simulation and as the staircase see it."""

    rates_per_token: NDArray[np.float64]
    burst: float
    replica_capacity: float
    fleet: Fleet
    fixed_monthly: Decimal
    node_monthly: Decimal
    slope: Decimal
    node_start_monthly: Decimal = Decimal(0)
    replica_start_monthly: Decimal = Decimal(0)
    token_monthly: Decimal = Decimal(0)

    @property
    def lowest_nodes(self) -> int:
        return -(-self.fleet.lowest // self.fleet.replicas_per_node)

    @property
    def staircase(self) -> Staircase:
        fleet = self.fleet
        return Staircase(
            peak_rates_per_token=self.rates_per_token * self.burst,
            requests_per_second_per_node=self.replica_capacity * fleet.replicas_per_node,
            lowest_nodes=self.lowest_nodes,
            lowest_planned=self.lowest_nodes,
            replicas_follow_load=fleet.autoscaling,
            nodes_follow_load=fleet.autoscaling,
            hours_per_start=(fleet.start_seconds + fleet.scale_down_seconds) / 3600,
            curve=fleet.curve,
            fixed_monthly=self.fixed_monthly,
            node_monthly=self.node_monthly,
            node_start_monthly=self.node_start_monthly,
            replica_start_monthly=self.replica_start_monthly,
            token_monthly=self.token_monthly,
        )

    def break_even(self, largest_nodes: int = LARGEST) -> BreakEven:
        return find_break_even(self.staircase, ApiCurve.line(float(self.slope)), largest_nodes)

    def nodes_at(self, volume: float) -> tuple[float, int]:
        """Simulates a volume; returns the mean and the peak of the nodes."""
        rates = self.rates_per_token * volume
        per_node = self.fleet.replicas_per_node
        if self.fleet.autoscaling:
            growing = replace(self.fleet, highest=10**6)
            week = plan_week(rates, self.burst, self.replica_capacity, growing)
            return week.mean_nodes, -(-week.peak_replicas // per_node)
        # Nodes that all run at all hours are bought until they carry the peak minute.
        nodes = self.lowest_nodes
        while True:
            constant = replace(self.fleet, highest=nodes * per_node, fixed_nodes=nodes)
            week = plan_week(rates, self.burst, self.replica_capacity, constant)
            carried = nodes * per_node * self.replica_capacity
            if float(rates.max()) * self.burst <= carried * (1 + 1e-9):
                return week.mean_nodes, nodes
            nodes += 1

    def starts_at(self, volume: float) -> tuple[float, float]:
        """Returns the nodes and the replicas that start in an hour, by the curve of the fleet."""
        plain = replace(self.fleet, highest=10**6, curve=FleetCurve())
        planned: float = self.nodes_at(volume)[1]
        if self.fleet.autoscaling:
            rates = self.rates_per_token * volume
            planned = plan_week(rates, self.burst, self.replica_capacity, plain).mean_nodes
        curve = self.fleet.curve
        return float(curve.nodes_started(planned)), float(curve.replicas_started(planned))

    def without_tokens_at(self, volume: float) -> float:
        nodes, replicas = self.starts_at(volume)
        return (
            float(self.fixed_monthly)
            + float(self.node_monthly) * self.nodes_at(volume)[0]
            + float(self.node_start_monthly) * nodes
            + float(self.replica_start_monthly) * replicas
        )

    def cost_at(self, volume: float) -> float:
        return self.without_tokens_at(volume) + float(self.token_monthly) * volume

    def api_at(self, volume: float) -> float:
        return float(self.slope) * volume


@st.composite
def curves(draw: st.DrawFn, lowest: int) -> FleetCurve:
    """What an autoscaler may make of plans: more of everything with more load."""
    if draw(st.booleans()):
        return FleetCurve()
    planned = [lowest, lowest + 1.5, 2.0 * lowest + 4]

    def rising(first: float) -> tuple[float, ...]:
        ratios = sorted(draw(st.lists(st.floats(0.3, 2.0), min_size=2, max_size=2)))
        return (
            first,
            *(first + ratio * nodes for ratio, nodes in zip(ratios, planned[1:], strict=True)),
        )

    return FleetCurve(tuple(planned), rising(float(lowest)), rising(0.0), rising(0.0))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    per_node = draw(st.integers(1, 4))
    lowest = draw(st.integers(1, LARGEST * per_node))
    rates = draw(profiles(12)) / 1000
    capacity = draw(capacities)
    burst = draw(bursts)
    node = draw(money("0.01", "20000"))
    fixed = draw(money("0", "20000"))
    # Near the price at which a full node costs what the API does, where the answer is decided.
    full = capacity * per_node / (float(rates.max()) * burst)
    slope = Decimal(repr(float(node) / full * draw(st.floats(0.2, 8.0))))
    return Case(
        rates_per_token=rates,
        burst=burst,
        replica_capacity=capacity,
        fleet=Fleet(
            lowest=lowest,
            highest=max(lowest, LARGEST * per_node),
            autoscaling=draw(st.booleans()),
            replicas_per_node=per_node,
            gpus_per_node=per_node,
            fixed_nodes=None,
            start_seconds=draw(st.floats(0.0, LONGEST_START_SECONDS)),
            scale_down_seconds=draw(st.floats(0.0, LONGEST_START_SECONDS)),
            curve=draw(curves(-(-lowest // per_node))),
        ),
        fixed_monthly=fixed,
        node_monthly=node,
        slope=slope,
        node_start_monthly=draw(money("0", "100")),
        replica_start_monthly=draw(money("0", "100")),
        token_monthly=slope * draw(st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("0.5")])),
    )


def case_of(rates: list[float], *, follow: bool, lowest: int = 1, slope: str = "2") -> Case:
    """A small case by hand: a node serves 1 request a second and costs 1 USD."""
    return Case(
        rates_per_token=np.asarray(rates),
        burst=1.0,
        replica_capacity=1.0,
        fleet=Fleet(
            lowest=lowest,
            highest=max(lowest, LARGEST),
            autoscaling=follow,
            replicas_per_node=1,
            gpus_per_node=1,
            fixed_nodes=None,
            start_seconds=900,
            scale_down_seconds=900,
        ),
        fixed_monthly=Decimal(0),
        node_monthly=Decimal(1),
        slope=Decimal(slope),
    )


class Step(NamedTuple):
    """One entry of the arrays of `Steps`."""

    to_tokens_per_day: float
    monthly: float
    peak_nodes: int


def steps_of(case: Case, largest_nodes: int) -> list[Step]:
    steps = case.staircase.steps(largest_nodes)
    arrays = (steps.to_tokens_per_day, steps.monthly, steps.peak_nodes)
    return [Step(*values) for values in zip(*(array.tolist() for array in arrays), strict=True)]


@given(cases())
def test_within_a_step_the_cost_is_that_of_the_simulation(case: Case) -> None:
    start = 0.0
    for step in steps_of(case, LARGEST):
        if step.to_tokens_per_day > start * (1 + NARROW):
            for volume in ((start + step.to_tokens_per_day) / 2, step.to_tokens_per_day):
                assert case.without_tokens_at(volume) == pytest.approx(step.monthly, rel=1e-9)
                assert case.nodes_at(volume)[1] == step.peak_nodes
        start = step.to_tokens_per_day


@given(cases())
def test_steps_rise_in_volume_cost_and_nodes(case: Case) -> None:
    steps = steps_of(case, LARGEST)
    assert steps[0].to_tokens_per_day > 0
    assert steps[0].peak_nodes == case.lowest_nodes
    for lower, upper in pairwise(steps):
        assert upper.to_tokens_per_day > lower.to_tokens_per_day
        assert upper.monthly >= lower.monthly * (1 - 1e-12)
        assert upper.peak_nodes >= lower.peak_nodes


@given(cases())
def test_the_last_step_ends_where_the_largest_fleet_is_full(case: Case) -> None:
    steps = steps_of(case, LARGEST)
    end = case.break_even().largest_tokens_per_day
    assert end == steps[-1].to_tokens_per_day
    assert case.nodes_at(end)[1] == LARGEST == steps[-1].peak_nodes
    assert case.nodes_at(end * (1 + NARROW))[1] == LARGEST + 1


@given(cases(), st.floats(1e-6, 1.0))
def test_a_volume_lies_in_a_reported_range_if_and_only_if_it_costs_less(
    case: Case, fraction: float
) -> None:
    result = case.break_even()
    volume = fraction * result.largest_tokens_per_day
    own, api = case.cost_at(volume), case.api_at(volume)
    assume(abs(own - api) > NARROW * api)
    ends = [step.to_tokens_per_day for step in steps_of(case, LARGEST)]
    assume(all(abs(volume - end) > NARROW * volume for end in ends))
    inside = any(
        crossing.from_tokens_per_day < volume
        and (crossing.to_tokens_per_day is None or volume <= crossing.to_tokens_per_day)
        for crossing in result.cheaper
    )
    assert inside == (own < api)


@given(cases())
def test_a_range_is_cheaper_inside_and_not_cheaper_just_outside(case: Case) -> None:
    result = case.break_even()
    for crossing in result.cheaper:
        lower = crossing.from_tokens_per_day
        upper = crossing.to_tokens_per_day or result.largest_tokens_per_day
        if upper < lower * (1 + 10 * NARROW):
            continue
        middle = (lower + upper) / 2
        assert case.cost_at(middle) < case.api_at(middle)
        assert case.cost_at(upper) <= case.api_at(upper) * (1 + NARROW)
        before, after = lower * (1 - NARROW), upper * (1 + NARROW)
        assert case.cost_at(before) >= case.api_at(before) * (1 - 10 * NARROW)
        if crossing.to_tokens_per_day is not None:
            assert case.cost_at(after) >= case.api_at(after) * (1 - 10 * NARROW)
        assert crossing.nodes == case.nodes_at(lower * (1 + NARROW))[1]


@given(cases())
def test_ranges_rise_do_not_touch_and_only_the_last_is_open(case: Case) -> None:
    cheaper = case.break_even().cheaper
    for lower, upper in pairwise(cheaper):
        assert lower.to_tokens_per_day is not None
        assert lower.from_tokens_per_day < lower.to_tokens_per_day < upper.from_tokens_per_day


@given(cases())
def test_never_is_said_if_and_only_if_no_fleet_that_is_full_costs_less(case: Case) -> None:
    result = case.break_even()
    # Within a step the API costs most, and the fleet the same, at its end.
    ends = [step.to_tokens_per_day for step in steps_of(case, LARGEST)]
    saving = max(case.api_at(end) / case.cost_at(end) for end in ends)
    assume(abs(saving - 1) > NARROW)
    assert result.never == (saving < 1)


@given(cases())
def test_twice_the_money_on_both_sides_changes_no_volume(case: Case) -> None:
    doubled = replace(
        case,
        fixed_monthly=2 * case.fixed_monthly,
        node_monthly=2 * case.node_monthly,
        node_start_monthly=2 * case.node_start_monthly,
        replica_start_monthly=2 * case.replica_start_monthly,
        token_monthly=2 * case.token_monthly,
        slope=2 * case.slope,
    )
    assert doubled.break_even() == case.break_even()


@given(cases(), st.integers(-8, 8))
def test_the_unit_of_time_changes_no_volume(case: Case, power: int) -> None:
    other = replace(
        case,
        rates_per_token=case.rates_per_token * 2.0**power,
        replica_capacity=case.replica_capacity * 2.0**power,
    )
    assert other.break_even() == case.break_even()


@given(cases(), st.integers(1, 10))
def test_a_dearer_api_never_moves_the_first_break_even_up(case: Case, factor: int) -> None:
    dearer = replace(case, slope=case.slope * factor).break_even()
    if not case.break_even().never:
        first = case.break_even().cheaper[0].from_tokens_per_day
        assert dearer.cheaper[0].from_tokens_per_day <= first


@given(cases(), money("0.01", "20000"))
def test_more_fixed_cost_never_moves_the_first_break_even_down(case: Case, more: Decimal) -> None:
    loaded = replace(case, fixed_monthly=case.fixed_monthly + more).break_even()
    if not loaded.never:
        first = case.break_even().cheaper[0].from_tokens_per_day
        assert loaded.cheaper[0].from_tokens_per_day >= first


@given(cases(), st.integers(0, 3))
def test_a_larger_fleet_on_trial_changes_nothing_below_the_smaller_one(
    case: Case, more: int
) -> None:
    small = steps_of(case, LARGEST)
    assert steps_of(case, LARGEST + more)[: len(small) - 1] == small[:-1]


def test_a_node_at_half_a_dollar_a_full_hour_pays_off_half_way() -> None:
    # One node for 1 USD carries 1 token a day, for which the API takes 2 USD.
    result = case_of([1.0], follow=True).break_even()
    starts = [crossing.from_tokens_per_day for crossing in result.cheaper]
    assert starts == [0.5]
    assert result.cheaper[0].to_tokens_per_day is None
    assert result.cheaper[0].nodes == 1
    assert result.largest_tokens_per_day == LARGEST


def test_the_staircase_can_cross_the_line_once_at_every_step() -> None:
    result = case_of([1.0], follow=False, slope="1.25").break_even(3)
    ranges = [(c.from_tokens_per_day, c.to_tokens_per_day, c.nodes) for c in result.cheaper]
    assert ranges == [(0.8, 1.0, 1), (1.6, 2.0, 2), (2.4, None, 3)]


def test_an_api_that_costs_what_a_full_fleet_costs_is_never_dearer() -> None:
    result = case_of([1.0], follow=False, slope="1").break_even()
    assert result.never
    assert result.largest_nodes == LARGEST


def test_ranges_that_touch_are_one_even_where_rounding_parts_them() -> None:
    # A second node is paid off by the very volume at which the first is full: 0.02 / 0.000012.
    case = replace(
        case_of([0.003], follow=False, slope="0.000012"),
        replica_capacity=5.0,
        node_monthly=Decimal("0.01"),
    )
    first = case.break_even(2).cheaper[0]
    assert first.to_tokens_per_day is None


def test_tokens_that_cost_as_much_here_as_by_the_api_never_pay() -> None:
    case = replace(case_of([1.0], follow=True), token_monthly=Decimal(2))
    assert case.break_even().never
    assert not replace(case, token_monthly=Decimal("0.5")).break_even().never


def test_what_starts_cost_moves_the_break_even() -> None:
    curve = FleetCurve((1.0, 2.0), (1.0, 2.0), (0.0, 4.0), (0.0, 8.0))
    plain = case_of([0.25, 1.0], follow=True)
    started = replace(
        plain,
        fleet=replace(plain.fleet, curve=curve),
        node_start_monthly=Decimal("0.5"),
        replica_start_monthly=Decimal("0.25"),
    )
    # Of a second node in one of two hours, with its start, the plan has 0.75: 3 and 6 starts.
    assert [step.monthly for step in steps_of(started, 2)] == [1, 1.75 + 3 * 0.5 + 6 * 0.25]


def test_in_a_pool_of_fixed_size_only_the_starts_of_replicas_grow_until_it_is_full() -> None:
    curve = FleetCurve((1.0, 2.0), (1.0, 2.0), (0.0, 4.0), (0.0, 8.0))
    staircase = replace(
        case_of([0.25, 1.0], follow=True).staircase,
        curve=curve,
        lowest_nodes=2,
        nodes_follow_load=False,
        replica_start_monthly=Decimal("0.25"),
    )
    steps = staircase.steps(3)
    assert steps.to_tokens_per_day.tolist() == [1, 2, 3]
    assert steps.peak_nodes.tolist() == [2, 2, 3]
    assert steps.monthly.tolist() == [2, 2 + 6 * 0.25, 3 + 10 * 0.25]


def test_nodes_that_run_at_all_hours_waste_nothing_on_starts() -> None:
    steps = steps_of(case_of([0.5, 1.0], follow=False), 3)
    assert [step.monthly for step in steps] == [1, 2, 3]


def test_nodes_that_follow_the_load_waste_half_an_hour_on_each_start() -> None:
    steps = steps_of(case_of([0.25, 1.0], follow=True), 3)
    assert [step.to_tokens_per_day for step in steps] == [1, 2, 3]
    # A second and a third node in one of two hours, each with its start.
    assert [step.monthly for step in steps] == [1, 1.75, 2.5]


@pytest.mark.parametrize("follow", [True, False])
def test_a_fleet_that_is_larger_from_the_start_is_priced_as_it_is(follow: bool) -> None:
    case = case_of([1.0, 1.0], follow=follow, lowest=100)
    result = case.break_even()
    assert result.largest_nodes == 100
    assert result.largest_tokens_per_day == 100
    assert [crossing.from_tokens_per_day for crossing in result.cheaper] == [50]
