"""`breakeven recommend` on the stacks that are there."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.cli.app import app
from breakeven.cli.recommend.search import Wishes, search_of
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.estimate import estimate
from breakeven.cost.optimizer.candidates import Evaluator
from breakeven.cost.optimizer.offers import offers
from breakeven.cost.optimizer.ranking import recommend
from breakeven.cost.optimizer.simulated import simulate_candidates
from breakeven.errors import UserError
from breakeven.planning.objectives import objectives_of
from breakeven.planning.offline import load_stack, load_values
from breakeven.reports.formatting import money
from breakeven.reports.optimizer import as_text
from breakeven.settings.files import with_settings


def answer(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        app, ["recommend", *arguments, "--format", "json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    output: dict[str, Any] = json.loads(result.stdout)
    return output


def test_the_stack_as_configured_costs_what_estimate_says() -> None:
    for name, gpu in (("aws-prod", "l4"), ("on-prem", "h100")):
        stack = load_stack(name)
        total = estimate(stack.ledger(), stack.assumptions).total
        assert answer(name, "--gpu", gpu)["asItStands"] == money(total)


def test_a_stack_that_does_not_serve_its_load_is_marked_as_too_small() -> None:
    stack = load_stack("aws-prod")
    small = with_settings(stack.values, {"replicas.max": 2})
    for values, name in (
        (stack.values, "This stack as configured  "),
        (small, "This stack as configured: too small  "),
    ):
        search = search_of(
            load_values("aws-prod", values, date(2026, 12, 1)), Wishes(gpus=("l40s",))
        )
        assert name in as_text(recommend(search), top=1)


def test_the_stack_s_own_configuration_is_among_the_candidates_at_its_own_cost() -> None:
    stack = load_stack("aws-prod")
    settings = stack.settings
    evaluator = Evaluator(search_of(stack, Wishes(gpus=("l40s",))))
    within = stack.assumptions.capacity.concurrent_requests  # the objectives
    own = [
        candidate
        for candidate in evaluator.evaluate_all()
        if candidate.configuration.offer.machine == "g6e.xlarge"
        and candidate.configuration.operation == "autoscaled"
        and candidate.configuration.precision == settings.model.precision
        and candidate.configuration.requests_in_flight == within
    ]
    assert len(own) == 1
    total = estimate(stack.ledger(), stack.assumptions).total
    # The search lets no more replicas run than the peak minute needs, the stack a few more.
    [simulated] = simulate_candidates(evaluator, own)
    assert float(simulated.monthly) == pytest.approx(float(total), rel=0.01)


def test_a_search_takes_what_the_stack_states() -> None:
    stack = load_stack("on-prem")
    search = search_of(stack, Wishes())
    assert search.own_offer is not None
    assert search.own_offer.purchase == "owned"
    assert search.own_offer.gpus_per_node == 8
    assert not search.own_offer.nodes_follow
    assert search.objectives == objectives_of(stack.settings)
    prod = load_stack("aws-prod")
    found = search_of(prod, Wishes(latency_ms=20, prefill_ms=300))
    assert found.own_offer is None
    assert found.objectives == Objectives(inter_token_seconds=0.02, first_token_seconds=0.3)
    # So that autoscaled fleets are evaluated with the starts that the stack's own would have.
    assert found.start_seconds["bf16"] == prod.assumptions.fleet.start_seconds


def test_prompts_that_may_not_leave_are_not_sent_to_an_api_and_the_report_prices_that() -> None:
    output = answer("on-prem", "--top", "100")
    assert output["recommendation"] == "self-host"
    assert {row["operation"] for row in output["configurations"]} <= {"autoscaled", "fixed"}
    price = next(one for one in output["constraints"] if "dataMayLeave" in one["constraint"])
    cheapest = min(Decimal(api["monthly"]) for api in output["api"] if api["decides"])
    assert Decimal(price["cheapestWithout"]) == cheapest


def test_options_narrow_the_search() -> None:
    output = answer("aws-prod", "--gpu", "l4", "--gpu", "l40s", "--max-gpus", "8", "--top", "50")
    rows = output["configurations"]
    assert {row["gpu"] for row in rows} == {"l4", "l40s"}
    assert max(row["peakNodes"] * row["gpusPerNode"] for row in rows) <= 8
    committed = answer("dev", "--gpu", "l4", "--commitment-percent", "40", "--top", "50")
    assert "committed" in {row["purchase"] for row in committed["configurations"]}


def test_the_text_names_the_stack_and_fits_a_terminal() -> None:
    result = CliRunner().invoke(app, ["recommend", "dev", "--gpu", "l4"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "CHEAPEST CONFIGURATION FOR STACK dev" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 96


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "'nowhere'"),
        (["dev", "--gpu", "l5"], '--gpu: unknown GPU "l5"'),
        (["dev", "--gpu", "l4", "--latency-ms", "0.1"], "Inter-token latency at most 0.1 ms"),
        (["on-prem", "--max-gpus", "1"], "within 1 GPU"),
        (["aws-prod", "--gpu", "rtx-4090"], "priced there: "),
    ],
)
def test_a_mistake_is_reported_with_its_fix(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["recommend", *arguments])
    assert isinstance(result.exception, UserError)
    assert result.exception.exit_code == 1
    assert said in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ["dev", "--max-gpus", "0"],
        ["dev", "--top", "0"],
        ["dev", "--latency-ms", "-3"],
        ["dev", "--latency-ms", "nan"],
        ["dev", "--latency-ms", "inf"],
        ["dev", "--prefill-ms", "inf"],
        ["dev", "--commitment-percent", "100"],
        ["dev", "--commitment-percent", "many"],
    ],
)
def test_a_figure_out_of_range_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["recommend", *arguments]).exit_code != 0


def test_stacks_with_nodes_of_their_own_are_compared_with_rented_ones() -> None:
    rows = answer("article", "--gpu", "a10g", "--top", "100")["configurations"]
    assert {row["purchase"] for row in rows} == {"on-demand", "stated"}


def test_no_gpu_is_evaluated_that_the_pool_refuses() -> None:
    found = offers(search_of(load_stack("gke"), Wishes()))
    assert {offer.gpu.name for offer in found} <= set(POOL_KINDS["gke-compute-class"].gpus)
    assert len({offer.gpu.name for offer in found}) > 1
