"""Several models are one bill: nothing is paid twice or lost, and each model has its part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.fleet.simulation.enlargement import ServingFleet
from breakeven.cost.report import Report
from breakeven.cost.several_models import planned
from breakeven.money import to_cents
from breakeven.reports.plots.staircase import monthly_at
from breakeven.reports.sentences.line_items import item_name
from tests.unit.cost.builders import (
    api,
    assumptions,
    capacity,
    engine,
    node,
    pool,
    simulated,
    volume,
)

MILLION = 10**6


def model(name: str, tokens_per_day: int = 100 * MILLION, **changes: object) -> Assumptions:
    base = assumptions(engine=engine(name), instance=name, **changes)
    return replace(base, load=replace(base.load, tokens_per_day=tokens_per_day))


def stack(models: Sequence[Assumptions]) -> Assumptions:
    first, *others = models
    return replace(first, others=tuple(others))


def volume_of(name: str) -> Registered:
    claim = volume("gp3", "100Gi")
    labels = {"labels": {"app.kubernetes.io/instance": name}}
    return Registered(name, claim.type, {**(claim.properties or {}), "metadata": labels})


def fixed(one: Assumptions, nodes: int, *, highest: int, gpus: int) -> Assumptions:
    """The same in a pool of servers with eight GPUs, autoscaled up to so many replicas."""
    fleet = replace(
        one.fleet, fixed_nodes=nodes, highest=highest, gpus_per_node=8, replicas_per_node=8 // gpus
    )
    return replace(one, fleet=fleet)


def lines(report: Report) -> dict[str, Decimal]:
    return {item_name(line): line.monthly for line in report.infrastructure.lines}


def test_what_a_further_model_costs_is_its_own_lines_and_the_contingency_on_them() -> None:
    one, other = model("one"), model("other", 300 * MILLION)
    ledger = [pool(), volume_of("one")]
    alone = estimate(ledger, one)
    both = estimate([*ledger, volume_of("other")], stack([one, other]))
    assert both.bill.staffing_monthly == alone.bill.staffing_monthly
    own = sum(line.monthly for line in both.infrastructure.lines if line.model == "other")
    assert both.infrastructure.monthly - alone.infrastructure.monthly == own
    assert {line.model for line in both.infrastructure.lines} == {"one", "other"}


def test_nodes_of_a_fixed_pool_are_paid_once_and_busy_by_what_all_models_work() -> None:
    each = [fixed(model(name), 2, highest=4, gpus=2) for name in ("one", "other")]
    alone, both = estimate([pool()], each[0]), estimate([pool()], stack(each))
    assert both.week.mean_nodes == alone.week.mean_nodes == 2
    assert both.infrastructure.monthly == alone.infrastructure.monthly
    assert both.week.busy_share == pytest.approx(2 * alone.week.busy_share)


def test_nodes_of_a_fixed_pool_are_shared_out_by_the_gpus_that_replicas_may_take() -> None:
    large = fixed(model("large"), 1, highest=1, gpus=4)
    small = fixed(model("small"), 1, highest=2, gpus=1)
    report = estimate([pool()], stack([large, small]))
    assert [part.mean_nodes for part in report.models] == pytest.approx([4 / 6, 2 / 6])


def test_apis_of_each_model_are_added_up() -> None:
    one = model("one", api_in_use=api("a/dear", "4"), hosted=(api("h/one", "2"),))
    other = model(
        "other", 300 * MILLION, api_in_use=api("a/cheap", "1"), hosted=(api("h/other", "0.5"),)
    )
    report = estimate([pool()], stack([one, other]))
    assert report.api.monthly == (100 * 4 + 300 * 1) * 30
    assert report.api.price.reference == "a/dear + a/cheap"
    assert report.api.price.usd_per_million_tokens == Decimal(700) / 400
    [hosted] = report.hosted
    assert hosted.monthly == (100 * 2 + 300 * Decimal("0.5")) * 30
    unknown = estimate([pool()], stack([one, replace(other, hosted=())]))
    assert unknown.hosted == ()


def test_an_api_that_two_models_use_is_named_once() -> None:
    report = estimate([pool()], stack([model("one"), model("other")]))
    assert report.api.price.reference == "test/api"


@settings(max_examples=30, deadline=None)
@given(
    tokens=st.lists(st.integers(1, 900), min_size=2, max_size=4),
    served=st.floats(0.2, 5.0),
    contingency=st.sampled_from(("0", "0.05", "0.2")),
)
def test_the_parts_of_the_models_are_the_bill(
    tokens: list[int], served: float, contingency: str
) -> None:
    people = replace(assumptions().staffing, contingency_share=Decimal(contingency))
    models = [
        model(f"m{number}", each * MILLION, staffing=people, capacity=capacity(served))
        for number, each in enumerate(tokens)
    ]
    report = estimate([pool(), volume_of("m1")], stack(models))
    assert to_cents(sum((part.total for part in report.models), Decimal(0))) == report.total
    assert all(part.own <= part.total for part in report.models)
    served_tokens = sum((part.served_tokens for part in report.models), Decimal(0))
    by_model = sum(part.usd_per_million_tokens * part.served_tokens for part in report.models)
    assert by_model / served_tokens == pytest.approx(report.usd_per_million_tokens)


@settings(max_examples=30, deadline=None)
@given(
    tokens=st.lists(st.integers(20, 900), min_size=2, max_size=3),
    in_pool=st.sampled_from((None, 3)),
)
def test_the_joint_staircase_has_the_total_at_the_planned_volume(
    tokens: list[int], in_pool: int | None
) -> None:
    models = [model(f"m{number}", each * MILLION) for number, each in enumerate(tokens)]
    if in_pool is not None:
        models = [fixed(each, in_pool, highest=2, gpus=2) for each in models]
    else:
        fleet = replace(models[0].fleet, highest=100)
        models = [replace(each, fleet=fleet) for each in models]
    report = estimate([pool()], stack(models))
    volumes = np.asarray([float(report.assumptions.tokens_per_day)])
    [monthly] = monthly_at(report.staircase(planned), volumes)
    peak = sum(-(-each // 86.4) * 2 for each in tokens)  # GPUs; a replica serves 86.4 million
    if in_pool is None or peak <= 8 * in_pool:
        assert monthly == pytest.approx(float(report.total), abs=0.02)
    else:
        assert monthly > float(report.total)  # more than the pool has would be needed


def test_two_halves_of_a_load_break_even_no_earlier_than_the_whole() -> None:
    # Each half needs whole nodes of its own.
    fleet = replace(assumptions().fleet, highest=100)
    whole = model("whole", 200 * MILLION, fleet=fleet, node=node("2"))
    halves = [model(name, fleet=fleet, node=node("2")) for name in ("one", "other")]
    one, two = (estimate([pool()], each) for each in (whole, stack(halves)))
    first, joint = one.break_even[0].loaded, two.break_even[0].loaded
    assert not first.never
    assert joint.never or (
        joint.cheaper[0].from_tokens_per_day >= first.cheaper[0].from_tokens_per_day * (1 - 1e-9)
    )
    assert joint.largest_nodes == first.largest_nodes


def test_a_shortfall_names_the_model_that_is_served_badly() -> None:
    late = model("late", simulated=simulated(objective_share=0.5))
    more = ServingFleet(replace(late.fleet, lowest=3), simulated(node_hours=3 * 168.0), True)
    report = estimate([pool()], stack([model("fine"), replace(late, serving=more)]))
    assert report.shortfall is not None
    [missed] = report.shortfall.models
    assert (missed.model, missed.objective_share) == ("late", 0.5)
    assert missed.serving.lowest == 3
    own = next(one for one in report.verdict.options if one.choice == "self-host")
    assert own.monthly == report.shortfall.monthly > report.total


def test_simulated_shares_are_weighed_by_requests() -> None:
    good = model("good", 300 * MILLION, simulated=simulated(objective_share=1.0, peak_replicas=2))
    bad = model("bad", 100 * MILLION, simulated=simulated(objective_share=0.6, peak_replicas=3))
    week = estimate([pool()], stack([good, bad])).simulated
    assert week.totals.objective_share == pytest.approx(0.9)
    assert week.totals.peak_replicas == 5
    assert week.totals.mean_nodes == pytest.approx(2.0)
