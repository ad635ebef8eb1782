"""`breakeven reconcile` on the stacks that are there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from breakeven.cli.app import app
from breakeven.cost.estimate import estimate
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack, load_values
from breakeven.reports.formatting import money
from breakeven.settings.files import stack_values, with_settings

COUNT = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1_795_000_000, "3"]}]},
}


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen.yaml"


def answer(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(
        app, ["reconcile", *arguments, "--format", "json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    output: dict[str, Any] = json.loads(result.stdout)
    return output


@pytest.mark.parametrize("stack", ["dev", "aws-prod", "article", "on-prem"])
def test_a_stack_that_went_as_planned_has_no_remainder(stack: str, seen: Path) -> None:
    loaded = load_stack(stack)
    report = estimate(loaded.ledger(), loaded.assumptions)
    load = loaded.assumptions.load
    figures = {
        "tokensPerDay": load.tokens_per_day,
        "inputTokensPerRequest": load.input_tokens,
        "outputTokensPerRequest": load.output_tokens,
        "burstFactor": load.burst_factor,
        "nodeHours": report.week.mean_nodes * 24 * 30,
        "days": 30,
        "busyShare": report.week.busy_share,
        "costPerMonth": float(report.infrastructure.monthly),
    }
    seen.write_text(yaml.safe_dump(figures), encoding="utf-8")
    output = answer(stack, "--from", str(seen))
    assert set(output["total"].values()) == {money(report.total)}
    assert output["cost"]["remainder"] == "0.00"
    assert output["settings"] == {}
    assert output["mostOff"] is None


def test_the_printed_settings_give_the_printed_total(seen: Path) -> None:
    figures = {
        "tokensPerDay": 900_000_000,
        "inputTokensPerRequest": 1500,
        "burstFactor": 3.25,
        "outputTokensPerSecondPerReplica": 800,
        "nodePricePerHour": 1.5,
    }
    seen.write_text(json.dumps(figures), encoding="utf-8")
    output = answer("aws-prod", "--from", str(seen))
    values = with_settings(stack_values("aws-prod"), output["settings"])
    today = datetime.now(tz=UTC).date()
    assumptions = load_values("aws-prod", values, today).assumptions
    total = estimate(load_stack("aws-prod").ledger(), assumptions).total
    assert output["total"]["withObservedSettings"] == money(total)
    assert output["total"]["planned"] != money(total)


def test_figures_counts_and_costs_come_from_files_of_their_own(seen: Path, tmp_path: Path) -> None:
    seen.write_text("tokensPerDay: 9000000\nbusyShare: 0.2\n", encoding="utf-8")
    count = tmp_path / "count.json"
    count.write_text(json.dumps(COUNT), encoding="utf-8")
    output = answer("dev", "--from", str(seen), "--from", str(count), "--kind", "nodes")
    observed = {row["figure"]: float(row["observed"]) for row in output["figures"]}
    assert observed["nodeHoursPerMonth"] == 3 * 730
    # 9 million tokens a day, of which a share is output, by three nodes that worked a fifth.
    load = load_stack("dev").assumptions.load
    output_share = load.output_tokens / load.tokens_per_request
    expected = 9e6 / 86_400 * output_share / (3 * 0.2)
    assert observed["outputTokensPerSecondPerReplica"] == pytest.approx(expected, abs=1e-5)


def test_the_text_names_what_was_most_off_and_the_line_that_states_it(seen: Path) -> None:
    seen.write_text("tokensPerDay: 900000000\ncostPerMonth: 9000\n", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["reconcile", "aws-prod", "--from", str(seen)], catch_exceptions=False
    )
    assert "Largest deviation: tokensPerDay, 80.0% above the plan" in result.stdout
    assert "Remainder:" in result.stdout
    assert result.stdout.endswith("  breakeven:traffic:\n    tokensPerDay: 900000000\n")
    assert max(len(line) for line in result.stdout.splitlines()) <= 96


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokensPerDay: [", "invalid YAML"),
        ("tokens: 3", "unknown figure tokens"),
        (json.dumps(COUNT), "--kind nodes"),
        ("inputTokensPerRequest: 900000", "cannot be estimated with the observed data"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(text: str, said: str, seen: Path) -> None:
    seen.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["reconcile", "dev", "--from", str(seen)])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


def test_a_file_that_is_not_there_is_named(seen: Path) -> None:
    result = CliRunner().invoke(app, ["reconcile", "dev", "--from", str(seen)])
    assert isinstance(result.exception, UserError)
    assert str(seen) in str(result.exception)
