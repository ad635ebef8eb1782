"""A stack whose gateway sends requests on, with inputs that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.demand.load import published_shape
from breakeven.cost.estimate import estimate
from breakeven.cost.sensitivity.scenario import Scenario, ScenarioModel
from tests.unit.cost.builders import api, assumptions, capacity, pool, simulated, volume

LEDGER = (pool(), volume())


def overflowing(share: float = 0.1) -> ScenarioModel:
    """At most eight replicas, and an API that costs much for what is beyond them."""
    base = assumptions(
        capacity=capacity(0.5),
        overflows=True,
        simulated=simulated(overflow_share=share),
        api_in_use=api("test/api", "10"),
    )
    shape, source = published_shape()
    load = replace(base.load, shape=shape, shape_source=source, tokens_per_day=200_000_000)
    return ScenarioModel(LEDGER, replace(base, load=load))


@settings(max_examples=15)
@given(st.floats(0.0, 0.5))
def test_with_nothing_changed_the_overflow_is_the_simulated_one(share: float) -> None:
    stack = overflowing(share)
    assert stack.outcome(Scenario()).total == estimate(LEDGER, stack.assumptions).total


def test_a_dearer_api_makes_the_overflow_dearer() -> None:
    stack = overflowing()
    stated, dearer = stack.outcome(Scenario()), stack.outcome(Scenario(api_price=2.0))
    overflow = estimate(LEDGER, stack.assumptions).bill.overflow_monthly
    assert overflow > 0
    assert dearer.total - stated.total == pytest.approx(overflow)
    assert dearer.by_api == tuple(2 * one for one in stated.by_api)


@settings(max_examples=15)
@given(st.floats(1.0, 3.0), st.sampled_from(["tokens", "burst"]))
def test_more_load_on_the_same_replicas_overflows_no_less(factor: float, name: str) -> None:
    stack = overflowing()
    few, more = stack.overflow_share(Scenario()), stack.overflow_share(Scenario(**{name: factor}))
    assert few == pytest.approx(0.1)
    assert few <= more <= 1


def test_twice_the_tokens_overflow_by_more_than_twice_as_much() -> None:
    stack = overflowing()
    assert stack.overflow_share(Scenario(tokens=2.0)) > 2 * 0.1


def test_faster_replicas_leave_less_to_the_api_but_what_a_cold_start_sends() -> None:
    stack = overflowing(0.4)
    assert 0 < stack.overflow_share(Scenario(capacity=4.0)) < 0.4


@settings(max_examples=15)
@given(st.floats(0.5, 4.0))
def test_what_overflows_is_served_so_that_every_token_counts(tokens: float) -> None:
    stack = overflowing()
    outcome = stack.outcome(Scenario(tokens=tokens))
    assert stack.serving(Scenario(tokens=tokens)).week().serves_load
    a_month = stack.apply(Scenario(tokens=tokens)).load.tokens_per_day * 30
    assert outcome.usd_per_million_tokens == pytest.approx(outcome.total / a_month * 10**6)
