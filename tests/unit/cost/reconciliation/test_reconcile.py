"""What happened against what was planned: effects are the estimate's own, to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import activities_of
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.calendar import THIRTY_DAYS
from breakeven.cost.estimate import estimate
from breakeven.cost.reconciliation.figures import from_figures
from breakeven.cost.reconciliation.kinds import KINDS, detect_kind
from breakeven.cost.reconciliation.node_counts import from_node_counts
from breakeven.cost.reconciliation.observations import Observed, ObservedError, merge
from breakeven.cost.reconciliation.opencost import from_opencost
from breakeven.cost.reconciliation.reconcile import reconcile
from breakeven.cost.reconciliation.result import Changes
from breakeven.cost.reconciliation.vllm import from_vllm
from breakeven.reports.reconciliation import as_output, as_text
from tests.unit.cost import builders

LEDGER = (builders.pool(), builders.volume())
NOW = datetime(2026, 11, 25, tzinfo=UTC)
START = 1_795_000_000


def changed(base: Assumptions, changes: Changes) -> Assumptions:
    """What the command line does with a stack file, on bare assumptions."""
    load, capacity, node = base.load, base.capacity, base.node
    speed = float(changes.get("measuredOutputTokensPerSecond", capacity.output_tokens_per_second))
    factor = speed / capacity.output_tokens_per_second
    if "nodePricePerHour" in changes:
        assert isinstance(node, RentedNode)
        usd = Decimal(changes["nodePricePerHour"])
        node = replace(node, price=replace(node.price, usd=usd))
    return replace(
        base,
        node=node,
        capacity=replace(
            capacity,
            requests_per_second=capacity.requests_per_second * factor,
            output_tokens_per_second=speed,
        ),
        load=replace(
            load,
            tokens_per_day=int(changes.get("tokensPerDay", load.tokens_per_day)),
            input_tokens=int(changes.get("inputTokensPerRequest", load.input_tokens)),
            output_tokens=int(changes.get("outputTokensPerRequest", load.output_tokens)),
            burst_factor=float(changes.get("burstFactor", load.burst_factor)),
        ),
    )


def bases() -> st.SearchStrategy[Assumptions]:
    return st.builds(
        lambda tokens, burst, capacity: builders.assumptions(
            load=replace(
                builders.assumptions().load, tokens_per_day=tokens, burst_factor=float(burst)
            ),
            capacity=builders.capacity(capacity),
        ),
        st.integers(10**6, 10**8),
        st.decimals(1, 4, places=2),
        st.floats(0.8, 20),
    )


def observations() -> st.SearchStrategy[Observed]:
    return st.builds(
        Observed,
        tokens_per_day=st.none() | st.integers(10**6, 10**9),
        input_tokens=st.none() | st.integers(1, 4000),
        output_tokens=st.none() | st.integers(1, 4000),
        burst_factor=st.none() | st.decimals(1, 20, places=2),
        output_tokens_per_second=st.none() | st.floats(1, 10**5),
        node_price_per_hour=st.none() | st.decimals(0, 100, places=4),
        mean_nodes=st.none() | st.floats(0.1, 50),
        cost_per_month=st.decimals(0, 10**6, places=2),
        cost_covers=st.sampled_from(["machines", "nodes"]),
    )


@settings(deadline=None, max_examples=60)
@given(base=bases(), measured=st.booleans(), nodes_only=st.booleans(), machines=st.integers(1, 3))
def test_what_went_as_planned_has_no_difference_and_no_remainder(
    base: Assumptions, measured: bool, nodes_only: bool, machines: int
) -> None:
    base = replace(base, fleet=replace(base.fleet, machines_per_node=machines))
    report = estimate(LEDGER, base)
    bill = report.bill
    assert isinstance(base.node, RentedNode)
    seen = Observed(
        tokens_per_day=base.load.tokens_per_day,
        input_tokens=base.load.input_tokens,
        output_tokens=base.load.output_tokens,
        burst_factor=Decimal(str(base.load.burst_factor)),
        # Without it, the same follows from the tokens, the nodes and their busy share.
        output_tokens_per_second=base.capacity.output_tokens_per_second if measured else None,
        node_price_per_hour=base.node.price.usd,
        mean_nodes=report.week.mean_nodes * machines,
        busy_share=report.week.busy_share,
        cost_per_month=bill.nodes_monthly if nodes_only else report.infrastructure.monthly,
        cost_covers="nodes" if nodes_only else "machines",
    )
    answer = reconcile(LEDGER, base, seen, lambda changes: changed(base, changes))
    assert len(answer.rows) == 9
    assert {row.difference for row in answer.rows} == {0}
    assert not any(row.effect for row in answer.rows)
    assert answer.planned == answer.by_settings == answer.by_all == report.total
    assert answer.cost is not None
    assert answer.cost.remainder == 0
    assert answer.changes == {}
    assert answer.most_off is None


@settings(deadline=None, max_examples=60)
@given(base=bases(), seen=observations())
def test_effects_are_those_of_the_estimate_to_the_cent(base: Assumptions, seen: Observed) -> None:
    answer = reconcile(LEDGER, base, seen, lambda changes: changed(base, changes))
    planned = estimate(LEDGER, base)
    for row in answer.rows:
        if row.changes and row.differs:
            alone = estimate(LEDGER, changed(base, row.changes)).total
            assert row.effect == alone - planned.total
    together = estimate(LEDGER, changed(base, answer.changes))
    assert answer.by_settings == together.total
    nodes = seen.mean_nodes if seen.mean_nodes is not None else together.week.mean_nodes
    # Each of three lines is rounded to the cent, and the bill multiplies what was rounded.
    rounding = Decimal("0.005") * 3 * Decimal(1 + nodes / together.week.mean_nodes)
    week = replace(together.week, mean_nodes=nodes)
    expected = together.bill.at(activities_of(together.assumptions, week, ()))
    assert abs(answer.by_all - expected) <= rounding
    assert answer.cost is not None
    assert answer.cost.explained + answer.cost.remainder == seen.cost_per_month


@settings(deadline=None, max_examples=60)
@given(base=bases(), seen=observations())
def test_the_largest_effect_stands_first_and_the_assumption_most_off_is_named(
    base: Assumptions, seen: Observed
) -> None:
    answer = reconcile(LEDGER, base, seen, lambda changes: changed(base, changes))
    effects = [abs(row.effect or Decimal(0)) for row in answer.rows]
    assert effects == sorted(effects, reverse=True)
    text = as_text(answer, [])
    assert max(len(line) for line in text.splitlines()) <= 96
    stated = [abs(row.effect or Decimal(0)) for row in answer.rows if row.changes]
    if most_off := answer.most_off:
        assert abs(most_off.effect or Decimal(0)) == max(stated)
        assert f"Largest deviation: {most_off.figure}" in text
    else:
        assert not any(stated)


def test_a_private_price_is_left_out_of_text_and_json() -> None:
    node = builders.node("1.23")
    base = builders.assumptions(node=replace(node, price=replace(node.price, private=True)))
    seen = Observed(node_price_per_hour=Decimal(2))
    answer = reconcile(LEDGER, base, seen, lambda changes: changed(base, changes))
    assert "1.23" not in as_text(answer, [])
    assert "1.23" not in json.dumps(as_output(answer))


def test_owned_nodes_have_no_price_an_hour() -> None:
    owned = builders.owned_node(
        purchase_price=Decimal(1000),
        amortization_years=3,
        power_watts=1000,
        electricity_price_per_kwh=Decimal("0.1"),
        gpus=8,
    )
    base = builders.assumptions(node=owned)
    seen = Observed(node_price_per_hour=Decimal(2))
    with pytest.raises(ObservedError, match="owned"):
        reconcile(LEDGER, base, seen, lambda changes: changed(base, changes))


def test_nothing_observed_is_refused() -> None:
    base = builders.assumptions()
    with pytest.raises(ObservedError, match="nothing was observed"):
        reconcile(LEDGER, base, Observed(), lambda changes: changed(base, changes))


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "no figures"),
        ([1], "no figures"),
        ({"tokens": 1}, "unknown figure tokens"),
        ({"tokensPerDay": "many"}, "'many'"),
        ({"tokensPerDay": True}, "True"),
        ({"busyShare": 1.5}, "0.0001 to 1"),
        ({"busyShare": float("nan")}, "nan"),
        ({"tokensPerDay": 10**400}, "a number, 1 to"),
        ({"days": 3}, "days is stated without nodeHours"),
        ({"nodeHours": 3}, "nodeHours is stated without days"),
    ],
)
def test_figures_that_cannot_be_used_are_said_with_what_is_allowed(
    stated: object, said: str
) -> None:
    with pytest.raises(ObservedError, match=said):
        from_figures(stated, "seen.yaml")


def test_node_hours_are_divided_by_the_hours_of_their_days() -> None:
    assert from_figures({"nodeHours": 336, "days": 7}, "seen.yaml").mean_nodes == 2


def test_a_figure_in_two_files_is_refused() -> None:
    one, two = Observed(tokens_per_day=1, mean_nodes=1.0), Observed(tokens_per_day=2)
    with pytest.raises(ObservedError, match=r"second.json: tokensPerDay"):
        merge([("first.json", one), ("second.json", two)])
    both = merge([("first.json", one), ("third.json", Observed(busy_share=0.5))])
    assert both == Observed(tokens_per_day=1, mean_nodes=1.0, busy_share=0.5)


def test_tokens_of_opencost_yield_to_those_that_were_counted() -> None:
    cost = Observed(cost_per_month=Decimal(9), cost_covers="nodes", tokens_per_day=3)
    counted = Observed(tokens_per_day=5)
    for files in ([("a", cost), ("b", counted)], [("b", counted), ("a", cost)]):
        assert merge(files) == replace(cost, tokens_per_day=5)
    assert merge([("a", cost)]) == cost


def matrix(*series: tuple[dict[str, str], list[float]]) -> str:
    result = [
        {
            "metric": labels,
            "values": [[START + 60 * number, str(value)] for number, value in enumerate(values)],
        }
        for labels, values in series
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def vector(*series: tuple[dict[str, str], float]) -> str:
    result = [{"metric": labels, "value": [START, str(value)]} for labels, value in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


@given(
    requests=st.integers(1, 50),
    input_tokens=st.integers(1, 3000),
    output_tokens=st.integers(1, 500),
)
def test_counters_of_vllm_give_volume_and_lengths(
    requests: int, input_tokens: int, output_tokens: int
) -> None:
    def counter(metric: str, step: int) -> tuple[dict[str, str], list[float]]:
        return {"__name__": metric}, [step * number for number in range(121)]

    answer = matrix(
        counter("vllm:prompt_tokens_total", requests * input_tokens),
        counter("vllm:generation_tokens_total", requests * output_tokens),
        counter("vllm:request_success_total", requests),
    )
    assert detect_kind(answer) is KINDS["vllm"]
    seen = from_vllm(answer, "week.json", NOW)
    assert seen.input_tokens == input_tokens
    assert seen.output_tokens == output_tokens
    assert seen.tokens_per_day == requests * (input_tokens + output_tokens) * 1440


def test_missing_counters_are_named() -> None:
    answer = matrix(({"__name__": "vllm:prompt_tokens_total"}, [0, 1, 2]))
    with pytest.raises(ObservedError, match="vllm:request_success_total"):
        from_vllm(answer, "week.json", NOW)


def test_nodes_are_added_up_over_series_and_averaged_over_time() -> None:
    one, two = ({"node": name, "__name__": "kube_node_info"} for name in "ab")
    answer = matrix((one, [1, 1, 1, 1]), (two, [1, 1]))
    assert detect_kind(answer) is KINDS["nodes"]
    assert from_node_counts(answer, "nodes.json").mean_nodes == 1.5


@pytest.mark.parametrize("controller", ["deployment", "statefulset"])
def test_replicas_fill_whole_nodes(controller: str) -> None:
    answer = matrix(({"__name__": f"kube_{controller}_status_replicas_ready"}, [1, 2, 3, 4]))
    assert detect_kind(answer) is KINDS["replicas"]
    assert from_node_counts(answer, "replicas.json", 2).mean_nodes == 1.5
    assert from_node_counts(answer, "replicas.json", 1, 2).mean_nodes == 5


def test_a_count_without_a_metric_name_is_not_guessed() -> None:
    assert detect_kind(vector(({}, 3))) is None
    assert from_node_counts(vector(({}, 3)), "nodes.json").mean_nodes == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (vector(({}, 0)), "no node"),
        (vector(({"__name__": "a"}, 1), ({"__name__": "b"}, 1)), "2 metrics"),
        (vector(), "no series"),
        (vector(({}, float("nan"))), "'nan'"),
        ('{"status": "error"}', "no series"),
        ("{", "malformed"),
        ("[]", "no answer"),
        ('{"data": {"result": [{"metric": {}, "value": [1]}]}}', "not a time and a value"),
        ('{"data": {"result": [1]}}', "without labels"),
        ('{"data": {"result": [{"metric": {}, "values": 1}]}}', "without points"),
    ],
)
def test_answers_that_cannot_be_used_are_said(answer: str, said: str) -> None:
    with pytest.raises(ObservedError, match=said):
        from_node_counts(answer, "nodes.json")


def gauge(name: str, basis: str = "allocation", model: str = "m") -> dict[str, str]:
    return {"__name__": name, "cost_basis": basis, "model_name": model}


def test_gauges_of_opencost_count_by_allocation_alone() -> None:
    answer = vector(
        (gauge("llm_total_cost"), 3.2),
        (gauge("llm_total_cost", "usage"), 1.1),
        (gauge("llm_cost_per_million_tokens"), 0.8),
        (gauge("llm_cost_per_million_tokens", "usage"), 0.1),
    )
    assert detect_kind(answer) is KINDS["opencost"]
    seen = from_opencost(answer, "cost.json", THIRTY_DAYS)
    assert seen.cost_per_month == Decimal("3.2") * 720
    assert seen.cost_covers == "nodes"
    assert seen.tokens_per_day == 4_000_000 * 24


def opencost_total(**changes: Any) -> dict[str, Any]:
    cost = {
        "properties": {"modelName": "Qwen/Qwen3-32B", "namespace": "llm"},
        "costBasis": "allocation",
        "totalCost": 42.5,
        "totalTokens": 15_000_000,
        **changes,
    }
    window = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
    return {"inferenceCosts": {"Qwen/Qwen3-32B:llm": cost}, "window": window}


def test_the_rest_answer_of_opencost_counts_over_its_window() -> None:
    answer = json.dumps({"code": 200, "data": opencost_total()})
    assert detect_kind(answer) is KINDS["opencost"]
    seen = from_opencost(answer, "cost.json", THIRTY_DAYS)
    assert seen.cost_per_month is not None
    assert round(seen.cost_per_month, 6) == Decimal("42.5") * 30
    assert seen.tokens_per_day == 15_000_000


def test_a_time_series_of_opencost_is_the_mean_of_its_windows() -> None:
    sets = {"inferenceCostSets": [opencost_total(), opencost_total(totalCost=7.5)]}
    seen = from_opencost(json.dumps({"data": sets}), "cost.json", THIRTY_DAYS)
    assert seen.cost_per_month is not None
    assert round(seen.cost_per_month, 6) == Decimal(25) * 30


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json.dumps({"data": opencost_total(costBasis="usage")}), "does not reconcile"),
        (json.dumps({"data": {**opencost_total(), "window": {}}}), "window"),
        (json.dumps({"data": opencost_total(totalCost=None)}), "None"),
        (json.dumps({"data": {"inferenceCosts": {}, "window": {}}}), "window"),
        (vector((gauge("llm_total_cost", "usage"), 1)), "no cost by allocation"),
        (vector((gauge("llm_cost_per_million_tokens"), 1)), "no series llm_total_cost"),
        (
            vector((gauge("llm_total_cost"), 1), (gauge("llm_total_cost", model="n"), 1)),
            "2 models",
        ),
    ],
)
def test_costs_that_cannot_be_compared_are_refused(answer: str, said: str) -> None:
    with pytest.raises(ObservedError, match=said):
        from_opencost(answer, "cost.json", THIRTY_DAYS)
