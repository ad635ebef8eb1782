"""A split of the load: the cheapest is the cheapest, and both parts add up."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.hybrid import SplitRules
from tests.unit.cost.strategies import capacities, money, profiles

_EXACT = Decimal("1e-20")


def rules_of(rates: NDArray[np.float64], fixed: Decimal, node: Decimal, api: Decimal) -> SplitRules:
    return SplitRules(
        load=LoadDuration(rates), fixed_monthly=fixed, node_monthly=node, api_monthly=api
    )


splits = st.builds(
    rules_of, profiles(), money("0", "10000"), money("0.01", "10000"), money("0.01", "1000000")
)


@given(splits, capacities, st.integers(1, 12), st.integers(1, 12))
def test_the_cheapest_split_is_no_dearer_than_any_number_of_nodes(
    rules: SplitRules, capacity: float, largest: int, nodes: int
) -> None:
    best = rules.cheapest(capacity, largest)
    assert 1 <= best.nodes <= largest
    assert best == rules.split(best.nodes, capacity)
    assert best.monthly <= rules.split(min(nodes, largest), capacity).monthly


@given(splits, capacities, st.integers(1, 12))
def test_shares_lie_between_nothing_and_all(rules: SplitRules, capacity: float, nodes: int) -> None:
    split = rules.split(nodes, capacity)
    assert 0 < split.own_share <= 1
    assert 0 <= split.api_monthly <= rules.api_monthly


@given(splits, capacities, st.integers(1, 12), st.integers(1, 12))
def test_more_nodes_serve_at_least_as_much_and_cost_their_price(
    rules: SplitRules, capacity: float, nodes: int, more: int
) -> None:
    few, many = rules.split(nodes, capacity), rules.split(nodes + more, capacity)
    assert many.own_share >= few.own_share
    assert many.api_monthly <= few.api_monthly
    added = many.own_monthly - few.own_monthly
    assert added == pytest.approx(more * rules.node_monthly, rel=_EXACT)


@given(splits, capacities, st.integers(1, 12))
def test_both_parts_add_up_and_the_api_is_paid_for_its_share(
    rules: SplitRules, capacity: float, nodes: int
) -> None:
    split = rules.split(nodes, capacity)
    assert split.monthly == split.own_monthly + split.api_monthly
    share = float(split.api_monthly / rules.api_monthly)
    assert share == pytest.approx(1 - split.own_share, abs=1e-9)


@given(splits, capacities)
def test_nodes_for_the_busiest_hour_leave_nothing_to_the_api(
    rules: SplitRules, capacity: float
) -> None:
    enough = int(np.ceil(rules.load.peak / capacity)) + 1
    split = rules.split(enough, capacity)
    assert split.own_share == pytest.approx(1)
    assert split.api_monthly == pytest.approx(0, abs=float(rules.api_monthly) * 1e-9)


def test_the_base_load_is_served_and_the_peak_sent_on() -> None:
    # Hours of 1, 1, 1 and 5 requests a second; nodes of 1 for 10 USD; all by API for 80 USD.
    rules = rules_of(np.asarray([1.0, 1, 1, 5]), Decimal(0), Decimal(10), Decimal(80))
    best = rules.cheapest(1.0, 8)
    # The first node serves half of all requests; each further one an eighth, for as much money.
    assert (best.nodes, best.own_share) == (1, 0.5)
    assert (best.own_monthly, best.api_monthly) == (Decimal(10), Decimal(40))
