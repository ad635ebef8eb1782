"""Ranges of the answer: ordered, repeatable, and the estimate itself where nothing is uncertain."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.demand.load import published_shape
from breakeven.cost.estimate import estimate
from breakeven.cost.sensitivity.monte_carlo import SAMPLES, monte_carlo, tornado
from breakeven.cost.sensitivity.ranges import INPUTS, InputRange, default_ranges
from breakeven.cost.sensitivity.scenario import Scenario, ScenarioModel
from breakeven.reports.formatting import money
from breakeven.reports.sensitivity import Sensitivity, as_output, as_text
from tests.unit.cost.builders import api, assumptions, capacity, pool, volume
from tests.unit.cost.strategies import fleets

LEDGER = (pool(), volume())
CERTAIN = dict.fromkeys(INPUTS, InputRange(100, 100))

OWNED = OwnedNode(
    purchase_price=Decimal(250_000),
    amortization_years=4,
    residual_share=Decimal("0.1"),
    power_watts=6000,
    power_usage_effectiveness=Decimal("1.4"),
    electricity_price_per_kwh=Decimal("0.12"),
    rack_and_support_per_month=Decimal(900),
    gpus=8,
)


@st.composite
def stacks(draw: st.DrawFn) -> Assumptions:
    """Stacks of every fleet, rented and owned, with an API near what they cost and far from it."""
    base = assumptions(fleet=draw(fleets()), capacity=capacity(draw(st.floats(0.2, 20.0))))
    shape, source = published_shape()
    load = replace(
        base.load,
        tokens_per_day=draw(st.integers(10**6, 10**9)),
        shape=shape,
        shape_source=source,
        burst_factor=draw(st.floats(1.0, 3.0)),
    )
    return replace(
        base,
        load=load,
        node=draw(st.sampled_from([base.node, OWNED])),
        staffing=replace(base.staffing, contingency_share=Decimal("0.05")),
        api_in_use=api("test/api", draw(st.sampled_from(["0.1", "1", "4", "20"]))),
        hosted=draw(st.sampled_from([(), base.hosted])),
    )


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, InputRange]:
    ends = st.integers(50, 200)
    found = {}
    for name in INPUTS:
        low, high = sorted((draw(ends), draw(ends)))
        found[name] = InputRange(low, high)
    return found


def busy() -> ScenarioModel:
    """A stack that saves a little against the API in use."""
    base = assumptions(api_in_use=api("test/api", "1.0"))
    shape, source = published_shape()
    load = replace(base.load, shape=shape, shape_source=source, tokens_per_day=130_000_000)
    return ScenarioModel(LEDGER, replace(base, load=load))


def test_the_effect_of_a_private_node_price_is_not_shown() -> None:
    stated = busy().assumptions
    assert isinstance(stated.node, RentedNode)
    secret = replace(stated.node, price=replace(stated.node.price, private=True))
    hidden = ScenarioModel(LEDGER, replace(stated, node=secret))
    for stack, shown in ((busy(), True), (hidden, False)):
        for bars in tornado(stack, CERTAIN):
            assert ("node-price" in {bar.name for bar in bars}) is shown


@settings(max_examples=25)
@given(stacks(), ranges(), st.integers(0, 2**32))
def test_percentiles_are_in_order(
    stack: Assumptions, inputs: dict[str, InputRange], seed: int
) -> None:
    result = monte_carlo(ScenarioModel(LEDGER, stack), inputs, seed, samples=30)
    everything = [result.total, result.usd_per_million_tokens]
    for against in result.against:
        everything.append(against.saving)
        assert against.break_even.p10 <= against.break_even.p50 <= against.break_even.p90
        assert 0 <= against.pays_share <= 1
    for one in everything:
        assert one.p10 <= one.p50 <= one.p90


@settings(max_examples=40)
@given(stacks())
def test_ranges_of_no_width_give_the_estimate_to_the_cent(stack: Assumptions) -> None:
    report = estimate(LEDGER, stack)
    result = monte_carlo(ScenarioModel(LEDGER, stack), CERTAIN, seed=1, samples=3)
    for value in (result.total.p10, result.total.p50, result.total.p90):
        assert money(value) == money(report.total)
    assert result.usd_per_million_tokens.p50 == pytest.approx(report.usd_per_million_tokens)
    assert len(result.against) == len(report.break_even)
    for against, row in zip(result.against, report.break_even, strict=True):
        assert money(against.saving.p10) == money(row.api.monthly - report.total)
        assert against.saving.p10 == against.saving.p90
        if row.loaded.never:
            assert against.never_share == 1
        else:
            first = row.loaded.cheaper[0].from_tokens_per_day
            assert against.break_even.p50 == pytest.approx(first, rel=1e-9)


@settings(max_examples=15)
@given(stacks(), ranges(), st.sampled_from(sorted(INPUTS)), st.integers(0, 40), st.integers(0, 40))
def test_a_wider_range_never_moves_the_saving_less(
    stack: Assumptions, inputs: dict[str, InputRange], name: str, down: int, up: int
) -> None:
    varied = ScenarioModel(LEDGER, stack)
    one = inputs[name]
    wider = {**CERTAIN, name: InputRange(one.low_percent - down, one.high_percent + up)}
    narrow = {**CERTAIN, name: one}
    for before, after in zip(tornado(varied, narrow), tornado(varied, wider), strict=True):
        old = next(bar for bar in before if bar.name == name)
        new = next(bar for bar in after if bar.name == name)
        assert new.least <= old.least <= old.most <= new.most
        assert new.width >= old.width


@settings(max_examples=20, phases=(Phase.explicit, Phase.generate))
@given(stacks(), st.tuples(*(st.integers(50, 200) for _ in range(5))))
def test_changed_inputs_give_what_estimate_says_of_a_stack_that_states_them(
    stack: Assumptions, percents: tuple[int, ...]
) -> None:
    names = ("capacity", "tokens", "node_price", "engineer", "burst")
    scenario = Scenario(**{name: one / 100 for name, one in zip(names, percents, strict=True)})
    varied = ScenarioModel(LEDGER, stack)
    report = estimate(LEDGER, varied.apply(scenario))
    outcome = varied.outcome(scenario)
    serving = estimate(LEDGER, varied.serving(scenario))
    assert money(outcome.total) == money(serving.total)
    assert serving.week.serves_load or not estimate(LEDGER, stack).week.serves_load
    assert money(outcome.by_api[0]) == money(report.api.monthly)
    for found, row in zip(varied.break_even(scenario), report.break_even, strict=True):
        crossings = row.loaded.cheaper
        expected = crossings[0].from_tokens_per_day if crossings else float("inf")
        assert found == pytest.approx(expected, rel=1e-9)


def test_a_bar_reaches_the_extremes_between_the_ends_of_a_range() -> None:
    stack, inputs = busy(), default_ranges(25)
    bars = {bar.name: bar for bar in tornado(stack, inputs)[1]}
    tokens = bars["tokens"]
    savings = [
        stack.outcome(Scenario(tokens=percent / 100)).saving(1)
        for percent in inputs["tokens"].percents()
    ]
    assert (tokens.least, tokens.most) == (min(savings), max(savings))
    assert (tokens.low, tokens.high) == (savings[0], savings[-1])
    assert tokens.least < min(tokens.low, tokens.high)  # a staircase: least where a step begins


def test_the_same_seed_gives_the_same_answer_and_another_one_another() -> None:
    inputs = default_ranges(25)
    first, again, other = (monte_carlo(busy(), inputs, seed, samples=200) for seed in (7, 7, 8))
    assert first == again
    assert first.total != other.total


def test_a_change_of_one_range_leaves_the_draws_of_the_others_alone() -> None:
    # The API's price has no part in the self-hosted total.
    inputs = default_ranges(25)
    other = {**inputs, "api-price": InputRange(10, 500)}
    before, after = (monte_carlo(busy(), one, 3, samples=200) for one in (inputs, other))
    assert before.total == after.total
    assert before.against[0].saving != after.against[0].saving


def test_inputs_are_sorted_by_how_much_they_move_the_saving() -> None:
    for bars in tornado(busy(), default_ranges(25)):
        widths = [bar.width for bar in bars]
        assert widths == sorted(widths, reverse=True)
        assert {bar.name for bar in bars} == set(INPUTS)


def test_a_flip_is_where_the_verdict_turns_and_not_before() -> None:
    stack = busy()
    stated = stack.outcome(Scenario()).pays(0)
    flips = {bar.name: bar.flips_at_percent for bar in tornado(stack, default_ranges(25))[0]}
    assert any(flips.values()), "no input flips the verdict of this stack"
    for name, percent in flips.items():
        if percent is None:
            continue
        step = 1 if percent < 100 else -1
        field = name.replace("-", "_")
        at, before = (
            stack.outcome(Scenario(**{field: one / 100})).pays(0)
            for one in (percent, percent + step)
        )
        assert at != stated
        assert before == stated


@pytest.mark.parametrize(("name", "sign"), [("api-price", 1), ("engineer", -1), ("node-price", -1)])
def test_savings_move_the_way_they_must(name: str, sign: int) -> None:
    for bars in tornado(busy(), default_ranges(25)):
        bar = next(one for one in bars if one.name == name)
        assert (bar.high - bar.low) * sign > 0


def test_a_fleet_that_is_too_small_is_priced_at_the_size_that_serves_everything() -> None:
    base = busy().assumptions
    fleet = replace(base.fleet, lowest=8, highest=8, autoscaling=False)
    small = replace(base, fleet=fleet, api_in_use=api("test/api", "99"))
    stack = ScenarioModel(LEDGER, small)
    for tokens in (2.0, 4.0, 8.0):
        scenario = Scenario(tokens=tokens)
        outcome, larger = stack.outcome(scenario), stack.serving(scenario)
        assert larger.week().serves_load
        assert outcome.enlarged == (larger.fleet.highest > 8)
        assert money(outcome.total) == money(estimate(LEDGER, larger).total)
        assert outcome.pays(0)
    assert outcome.enlarged
    assert not stack.outcome(Scenario()).enlarged


def test_a_run_draws_at_least_a_thousand_times() -> None:
    assert SAMPLES >= 1000


def test_text_and_output_hold_the_same_figures_and_fit_a_terminal() -> None:
    stack, inputs = busy(), default_ranges(25)
    answer = Sensitivity(stack, inputs, monte_carlo(stack, inputs, 1, 100), tornado(stack, inputs))
    text = as_text(answer)
    output = json.loads(json.dumps(as_output(answer)))
    assert max(len(line) for line in text.splitlines()) <= 96
    for key in ("stated", "p10", "p50", "p90"):
        assert f"${Decimal(output['total'][key]):,.2f}" in text
    assert [one["api"] for one in output["against"]] == ["test/api", "test/hosted"]
    for one in output["against"]:
        assert f"on the saving compared with {one['api']}" in text
        assert [bar["input"] for bar in one["tornado"]]
