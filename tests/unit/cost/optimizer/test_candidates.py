"""Weighing thousands of configurations at once gives what `estimate` gives for each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.estimate import estimate
from breakeven.cost.hybrid import SplitRules
from breakeven.cost.optimizer.candidates import Candidate, Evaluator
from breakeven.cost.optimizer.search import (
    Offer,
    OwnMeasurement,
    Search,
    ServingConfiguration,
    assumptions_for,
    with_nodes,
)
from breakeven.reports.formatting import money
from tests.unit.cost.builders import node
from tests.unit.cost.optimizer.searches import NO_SHRINKING, search


def by_estimate(evaluator: Evaluator, candidate: Candidate) -> Decimal:
    """The same configuration, priced one at a time by the code that prices stacks."""
    configuration, capacity = candidate.configuration, candidate.capacity
    asked = evaluator.search
    fleet = evaluator.fleet(configuration, capacity)
    ledger = with_nodes(
        asked.ledgers[configuration.precision], configuration.offer, asked.assumptions.cloud
    )
    report = estimate(ledger, assumptions_for(asked, configuration, capacity, fleet))
    if configuration.operation != "hybrid":
        return report.total
    overflow = SplitRules(
        load=evaluator.minutes,
        fixed_monthly=Decimal(0),
        node_monthly=Decimal(0),
        api_monthly=min(cost.monthly for cost in (report.api, *report.hosted)),
    ).split(
        configuration.base_nodes,
        capacity.requests_per_second * configuration.replicas_per_node,
    )
    return report.total + overflow.api_monthly


@st.composite
def searches(draw: st.DrawFn) -> Search:
    base = search()
    assumptions = base.assumptions
    load = replace(
        assumptions.load,
        tokens_per_day=draw(st.integers(10**6, 4 * 10**9)),
        burst_factor=draw(st.floats(1.0, 4.0)),
    )
    reserve = Decimal(draw(st.sampled_from(["0", "0.05", "0.2"])))
    people = replace(assumptions.staffing, contingency_share=reserve)
    return search(
        assumptions=replace(assumptions, load=load, staffing=people),
        gpus=("l4", "l40s", "a100-80"),
        lowest_replicas=draw(st.integers(1, 3)),
        commitment_share=Decimal(draw(st.sampled_from(["0", "0.3", "0.55"]))),
    )


@settings(max_examples=7, phases=NO_SHRINKING)
@given(searches(), st.integers(0, 40))
def test_every_configuration_costs_what_estimate_says_to_the_cent(
    asked: Search, first: int
) -> None:
    evaluator = Evaluator(asked)
    sample = evaluator.evaluate_all()[first::61]
    assert sample
    for candidate in sample:
        # A hybrid's nodes are parted into busy and idle by the minute, a stack's by the hour; each
        # part is rounded.
        cents = 2 if candidate.configuration.operation == "hybrid" else 0
        difference = Decimal(money(candidate.monthly)) - Decimal(
            money(by_estimate(evaluator, candidate))
        )
        assert abs(difference) <= Decimal("0.01") * cents


def test_the_search_weighs_every_axis() -> None:
    candidates = Evaluator(search(commitment_share=Decimal("0.3"))).evaluate_all()
    found = [one.configuration for one in candidates]
    assert {one.operation for one in found} == {"autoscaled", "fixed", "hybrid"}
    assert {one.offer.purchase for one in found} == {"on-demand", "committed"}
    assert {one.precision for one in found} == {"bf16", "fp8", "int8", "int4"}
    assert {one.tensor_parallel for one in found} == {1, 2, 4, 8}
    assert {one.offer.gpus_per_node for one in found} >= {1, 4, 8}


def test_a_search_for_much_traffic_has_more_than_five_thousand_configurations() -> None:
    base = search(commitment_share=Decimal("0.3"), max_gpus=256)
    load = replace(base.assumptions.load, tokens_per_day=2 * 10**9)
    evaluator = Evaluator(replace(base, assumptions=replace(base.assumptions, load=load)))
    evaluator.evaluate_all()
    assert evaluator.counts.evaluated >= 5000


def test_whole_replicas_fill_every_node() -> None:
    for one in Evaluator(search(gpus=("l4", "h100"))).evaluate_all():
        configuration = one.configuration
        assert configuration.offer.gpus_per_node % configuration.tensor_parallel == 0
        assert configuration.replicas_per_node >= 1


def test_fleets_that_serve_everything_serve_the_peak_minute() -> None:
    evaluator = Evaluator(search(gpus=("l4", "h100")))
    for one in evaluator.evaluate_all():
        if one.configuration.operation != "hybrid":
            capacity = one.peak_replicas * one.capacity.requests_per_second
            assert capacity >= evaluator.peak_rate * (1 - 1e-6)
            assert one.own_share == 1.0
            assert one.api_monthly == 0


def test_a_hybrid_sends_something_to_the_api_and_pays_for_it() -> None:
    evaluator = Evaluator(search(gpus=("l4", "l40s")))
    hybrids = [one for one in evaluator.evaluate_all() if one.configuration.operation == "hybrid"]
    assert hybrids
    for one in hybrids:
        assert 0 < one.own_share < 1
        share = one.api_monthly / evaluator.overflow_monthly
        assert float(share) == pytest.approx(1 - one.own_share, abs=1e-9)
        assert 0 < one.busy_share <= 1


def test_no_configuration_needs_more_gpus_than_allowed() -> None:
    evaluator = Evaluator(search(gpus=("l4", "l40s"), max_gpus=4))
    candidates = evaluator.evaluate_all()
    assert max(one.peak_nodes * one.configuration.offer.gpus_per_node for one in candidates) <= 4
    assert evaluator.counts.too_many_gpus > 0
    assert evaluator.counts.evaluated == len(candidates) + evaluator.counts.too_many_gpus


def test_only_the_gpus_that_were_named_are_evaluated() -> None:
    candidates = Evaluator(search(gpus=("l4", "h100"))).evaluate_all()
    assert {one.configuration.offer.gpu.name for one in candidates} == {"l4", "h100"}


def test_committed_nodes_are_paid_at_all_hours_and_cost_the_stated_discount_less() -> None:
    candidates = Evaluator(search(gpus=("l40s",), commitment_share=Decimal("0.4"))).evaluate_all()
    fixed = {
        (
            one.configuration.offer.machine,
            one.configuration.precision,
            one.configuration.tensor_parallel,
            one.configuration.offer.purchase,
        ): one
        for one in candidates
        if one.configuration.operation == "fixed"
    }
    committed = [key for key in fixed if key[3] == "committed"]
    assert committed
    for key in committed:
        full = fixed[(*key[:3], "on-demand")]
        node = full.configuration.offer.node
        assert isinstance(node, RentedNode)
        price = node.price.usd * search().assumptions.calendar.hours_per_month
        saved = full.monthly - fixed[key].monthly
        expected = price * full.peak_nodes * Decimal("0.4")
        # Busy and idle hours are lines of their own, each to the cent.
        assert abs(saved - expected) <= Decimal("0.02")
    assert not any(
        one.configuration.offer.purchase == "committed"
        and one.configuration.operation == "autoscaled"
        for one in candidates
    )


def test_a_model_that_fits_no_gpu_leaves_nothing_and_is_counted() -> None:
    evaluator = Evaluator(search(gpus=("l4",), max_model_length=10**7))
    assert evaluator.evaluate_all() == []
    assert evaluator.counts.too_little_memory > 0


def test_memory_of_adapters_is_taken_from_every_replica() -> None:
    plain = Evaluator(search(gpus=("l4",)))
    adapted = Evaluator(search(gpus=("l4",), adapter_bytes=3 * 2**30))

    def in_flight(evaluator: Evaluator) -> dict[ServingConfiguration, int]:
        return {
            one.configuration: one.capacity.concurrent_requests
            for one in evaluator.evaluate_all()
            if one.configuration.operation == "fixed"
        }

    without, left = in_flight(plain), in_flight(adapted)
    assert left
    assert all(number <= without[configuration] for configuration, number in left.items())
    assert any(number < without[configuration] for configuration, number in left.items())


def test_own_nodes_are_evaluated_next_to_rented_ones() -> None:
    own = Offer(
        gpu=find_gpu("rtx-4090"),
        gpus_per_node=2,
        machine="own node",
        purchase="stated",
        node=node("0.9"),
        nodes_follow=False,
        volume_gigabytes=0,
    )
    base = search(gpus=("rtx-4090",), own_offer=own)
    load = replace(base.assumptions.load, tokens_per_day=10**9)
    evaluator = Evaluator(replace(base, assumptions=replace(base.assumptions, load=load)))
    candidates = evaluator.evaluate_all()
    assert {one.configuration.operation for one in candidates} == {"fixed", "hybrid"}
    for one in candidates:
        assert abs(one.monthly - by_estimate(evaluator, one)) <= Decimal("0.02")


def test_a_price_that_is_too_old_is_left_out() -> None:
    assert Evaluator(search(max_age_days=1)).evaluate_all() == []


def test_a_measurement_counts_for_its_own_engine_only() -> None:
    measured = OwnMeasurement("l40s", "bf16", 1, 1234.0)
    candidates = Evaluator(search(gpus=("l40s",), measured=measured)).evaluate_all()
    for one in candidates:
        configuration = one.configuration
        own = (configuration.precision, configuration.tensor_parallel) == ("bf16", 1)
        assert (one.capacity.method == "own-measurement") == own
        if own:
            fewer = configuration.requests_in_flight < 32  # at which the stack is full
            assert (one.capacity.output_tokens_per_second < 1234.0) == fewer


def test_gpus_without_kernels_for_the_model_are_left_out_and_counted() -> None:
    base = search(gpus=("l40s", "h100"))
    sparse = replace(base.assumptions.engine, model=find_model("deepseek-v3.2"), precision="fp8")
    assumptions = replace(base.assumptions, engine=sparse)
    evaluator = Evaluator(replace(base, assumptions=assumptions, ledgers={"fp8": ()}))
    evaluator.evaluate_all()
    assert evaluator.counts.without_kernels > 0
    assert evaluator.counts.evaluated + evaluator.counts.too_little_memory > 0
    only = replace(evaluator.search, gpus=("l40s",))
    assert Evaluator(only).evaluate_all() == []
