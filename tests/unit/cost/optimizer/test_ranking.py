"""The ranking heeds every constraint, and says what each costs."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.optimizer.candidates import Evaluator
from breakeven.cost.optimizer.conclusion import conclude
from breakeven.cost.optimizer.ranking import NothingFitsError, Recommendation, recommend
from breakeven.cost.optimizer.search import Search
from breakeven.cost.report import ApiCost
from breakeven.reports.optimizer import as_output, as_text
from breakeven.reports.sentences.optimizer import recommendation_notes
from tests.unit.cost.builders import api
from tests.unit.cost.optimizer.searches import NO_SHRINKING, search


def with_apis(base: Search, in_use: str, hosted: str) -> Search:
    assumptions = replace(
        base.assumptions,
        api_in_use=api("test/api", in_use),
        hosted=(api("test/hosted", hosted),),
    )
    return replace(base, assumptions=assumptions)


def inside(base: Search) -> Search:
    return replace(base, assumptions=replace(base.assumptions, data_may_leave=False))


@cache
def without_limits(commitment_share: Decimal | None = None) -> Recommendation:
    """The answer for two GPUs, which several tests look at."""
    return recommend(search(gpus=("l4", "l40s"), commitment_share=commitment_share))


@settings(max_examples=4, phases=NO_SHRINKING)
@given(milliseconds=st.floats(4.0, 60.0), prefill=st.floats(20.0, 400.0))
def test_whatever_is_ranked_meets_every_constraint(milliseconds: float, prefill: float) -> None:
    asked = search(
        gpus=("l4", "h100"),
        objectives=Objectives(
            inter_token_seconds=milliseconds / 1000, first_token_seconds=prefill / 1000
        ),
    )
    try:
        answer = recommend(inside(asked))
    except NothingFitsError:
        return  # the limits are too tight; another test covers the message
    for one in answer.ranked:
        assert one.capacity.latencies.inter_token_p95 <= milliseconds / 1000
        assert one.capacity.latencies.first_token_p95 <= prefill / 1000
        assert one.configuration.operation != "hybrid"
    for constraint in answer.constraints:
        assert constraint.price is None or constraint.price >= 0


def test_the_ranking_rises_and_starts_with_the_cheapest_of_all() -> None:
    asked = search(gpus=("l4", "h100"))
    answer = recommend(asked)
    costs = [(one.capacity.is_unknown, round(one.monthly)) for one in answer.ranked]
    assert costs == sorted(costs)
    assert {unknown for unknown, _ in costs} == {False, True}  # several L4 over PCIe, at the end
    known = [one for one in Evaluator(asked).evaluate_all() if not one.capacity.is_unknown]
    assert costs[0] == (False, round(min(one.monthly for one in known)))


def test_of_equal_cost_the_precision_that_changes_least_comes_first() -> None:
    # One node carries everything, so that precision makes no difference but for the volume.
    base = search(gpus=("l4",), ledgers=dict.fromkeys(("int4", "bf16"), search().ledgers["bf16"]))
    load = replace(base.assumptions.load, tokens_per_day=1000)
    answer = recommend(replace(base, assumptions=replace(base.assumptions, load=load)))
    assert answer.ranked[0].configuration.precision == "bf16"


def test_each_way_to_run_an_engine_is_listed_once() -> None:
    answer = without_limits()
    keys = [
        (
            one.configuration.offer.gpu.name,
            one.configuration.offer.gpus_per_node,
            one.configuration.offer.purchase,
            one.configuration.precision,
            one.configuration.tensor_parallel,
            one.configuration.operation,
        )
        for one in answer.ranked
    ]
    assert len(keys) == len(set(keys))


def test_keeping_prompts_inside_costs_the_difference_to_the_cheapest_api() -> None:
    answer = recommend(inside(with_apis(search(gpus=("l4",)), "1", "0.02")))
    price = next(one for one in answer.constraints if one.constraint.kind == "data-stays")
    cheapest = min(answer.api.monthly, *(cost.monthly for cost in answer.hosted))
    assert price.cheapest_without == cheapest
    assert price.price == answer.ranked[0].monthly - cheapest
    assert answer.conclusion.choice == "self-host"


def test_a_latency_limit_costs_what_a_faster_configuration_costs_more() -> None:
    free = without_limits()
    bound = recommend(
        search(
            gpus=("l4", "l40s"),
            objectives=Objectives(inter_token_seconds=0.03, first_token_seconds=2.0),
        )
    )
    price = next(one for one in bound.constraints if one.constraint.kind == "inter-token")
    assert price.price == bound.ranked[0].monthly - free.ranked[0].monthly
    assert price.price is not None
    assert price.price > 0


def test_the_api_wins_where_it_costs_less_and_loses_where_it_costs_much_more() -> None:
    cheap = recommend(with_apis(search(gpus=("l4",)), "1", "0.01"))
    assert cheap.conclusion.choice == "hosted"
    assert cheap.conclusion.api is not None
    assert cheap.conclusion.api.price.reference == "test/hosted"
    dear = recommend(with_apis(search(gpus=("l4",)), "90", "80"))
    assert dear.conclusion.choice in ("self-host", "hybrid")
    assert dear.conclusion.monthly_if_slower < dear.hosted[0].monthly


@pytest.mark.parametrize(
    ("api_over_best", "slower_over_best", "data_may_leave", "choice", "ground"),
    [
        ("1.1", "1.3", True, "api", "depends-on-capacity"),
        ("1.1", "1.05", True, "self-host", "own-cheaper"),
        ("1.0", "1.3", True, "api", "api-cheaper"),
        ("0.5", "1.3", True, "api", "api-cheaper"),
        ("0.5", "1.3", False, "self-host", "data-stays"),
    ],
)
def test_own_nodes_win_only_by_more_than_the_band_of_the_capacity(
    api_over_best: str, slower_over_best: str, data_may_leave: bool, choice: str, ground: str
) -> None:
    best = recommend(search(gpus=("l40s",))).cheapest(("fixed",))
    assert best is not None
    cost = ApiCost(api("test/api", "1"), best.monthly * Decimal(api_over_best), same_model=False)
    slower = best.monthly * Decimal(slower_over_best)
    found = conclude(best, slower, cost, data_may_leave=data_may_leave)
    assert (found.choice, found.ground) == (choice, ground)


def test_what_nothing_can_meet_is_said_with_the_nearest_figure() -> None:
    with pytest.raises(NothingFitsError) as caught:
        recommend(search(gpus=("l4",), objectives=Objectives(inter_token_seconds=0.0001)))
    [inter_token] = caught.value.obstacles.constraints
    assert inter_token.constraint.kind == "inter-token"
    assert inter_token.candidates == 0
    assert (inter_token.fastest_seconds or 0) > 0.0001


def test_a_gpu_that_is_not_rented_there_is_said_with_those_that_are() -> None:
    with pytest.raises(NothingFitsError) as caught:
        recommend(search(gpus=("mi300x",)))
    assert caught.value.obstacles.candidates == 0
    assert "l40s" in caught.value.obstacles.priced_gpus


@pytest.mark.parametrize("top", [1, 7])
def test_text_and_output_show_the_same_configurations_and_fit_a_terminal(top: int) -> None:
    answer = without_limits(Decimal("0.3"))
    text, output = as_text(answer, top), as_output(answer, top)
    assert max(len(line) for line in text.splitlines()) <= 96
    rows = json.loads(json.dumps(output))["configurations"]
    assert len(rows) == top
    for row in rows:
        assert f"${Decimal(row['monthly']):,.2f}" in text


def test_what_the_stack_has_and_no_configuration_here_is_said() -> None:
    plain = search()
    fleet = plain.assumptions.fleet
    for changed, said in (
        (replace(fleet, machines_per_node=2), "span 2 nodes (engine.pipelineParallel)"),
        (replace(fleet, scheduled=(2,) * 168), "replicas.schedule"),
    ):
        asked = replace(plain, assumptions=replace(plain.assumptions, fleet=changed), gpus=("l4",))
        assert any(said in note for note in recommendation_notes(recommend(asked)))
    notes = " ".join(recommendation_notes(recommend(replace(plain, gpus=("l4",)))))
    assert "engine.pipelineParallel" not in notes
    assert "replicas.schedule" not in notes
