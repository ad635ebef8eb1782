"""`breakeven sensitivity` on the stacks that are there."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.cli import sensitivity as uncertainty
from breakeven.cli.app import app
from breakeven.cost.estimate import estimate
from breakeven.cost.sensitivity.monte_carlo import monte_carlo
from breakeven.cost.sensitivity.ranges import INPUTS
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack
from breakeven.reports.formatting import money


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertainty, "monte_carlo", partial(monte_carlo, samples=50))


def answer(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        app, ["sensitivity", *arguments, "--format", "json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    output: dict[str, Any] = json.loads(result.stdout)
    return output


def test_ranges_of_no_width_give_the_estimate_of_the_stack() -> None:
    stack = load_stack("aws-prod")
    report = estimate(stack.ledger(), stack.assumptions)
    output = answer("aws-prod", *(word for key in INPUTS for word in ("--range", f"{key}=100:100")))
    assert set(output["total"].values()) == {money(report.total)}
    for against, row in zip(output["against"], report.break_even, strict=True):
        assert against["api"] == row.api.price.reference
        assert set(against["saving"].values()) == {money(row.api.monthly - report.total)}
        assert set(against["breakEvenTokensPerDay"].values()) == {row.loaded.first_volume}


def test_a_stated_range_replaces_the_default_and_no_other() -> None:
    before = answer("dev")["inputsPercent"]
    after = answer("dev", "--range", "tokens=20:400", "--range", "engineer=100:150")
    assert after["inputsPercent"] == {**before, "tokens": [20, 400], "engineer": [100, 150]}


def test_the_answer_is_repeatable_and_the_seed_matters() -> None:
    first, again, other = (answer("dev", "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again
    assert first["total"] != other["total"]


def test_the_text_fits_a_terminal() -> None:
    result = CliRunner().invoke(app, ["sensitivity", "article"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "SENSITIVITY OF STACK article" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 96


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "'nowhere'"),
        (["dev", "--range", "gpus=50:100"], "INPUT one of capacity, tokens"),
        (["dev", "--range", "tokens=200:100"], "low before high"),
    ],
)
def test_a_mistake_is_reported_with_the_allowed_values(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["sensitivity", *arguments])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
