"""`breakeven chargeback`: every form has the same statements."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from breakeven.cli.app import app
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack

USAGE = "team,to,tokens,usd\nproduct,own,9000,\nproduct,api,10,120.50\n=legal,own,1000,\n"


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    path.write_text(USAGE, encoding="utf-8")
    return path


def run(usage: Path, *arguments: str) -> str:
    result = CliRunner().invoke(
        app, ["chargeback", "hybrid", "--from", str(usage), *arguments], catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


def test_text_csv_page_and_json_sum_to_the_estimate(usage: Path) -> None:
    total = load_stack("hybrid").report().total
    found = json.loads(run(usage, "--format", "json"))
    assert Decimal(found["total"]) == total
    assert sum(Decimal(each["total"]) for each in found["statements"]) == total
    assert found["version"] == 1
    rows = list(csv.DictReader(io.StringIO(run(usage, "--format", "csv"))))
    assert sum(Decimal(row["totalUsd"]) for row in rows) == total
    assert {row["team"] for row in rows} == {"product", "'=legal"}
    assert f"${total:,.2f}" in run(usage)
    assert f"<td>${total:,.2f}</td>" in run(usage, "--format", "html")


def test_only_who_used_the_api_pays_for_it(usage: Path) -> None:
    found = json.loads(run(usage, "--format", "json"))
    api = {each["team"]: Decimal(each["api"]) for each in found["statements"]}
    assert api["=legal"] == 0
    assert api["product"] > 0


def test_what_was_charged_in_fact_replaces_the_estimate(usage: Path) -> None:
    found = json.loads(run(usage, "--total", "1234.57", "--split", "even", "--format", "json"))
    assert found["total"] == "1234.57"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,tokens\na,1\n", "missing column team"),
        ("team,tokens\na,many\n", "line 2: found 'many'"),
        ("team,tokens\n", "no team used the stack"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_message(text: str, said: str, usage: Path) -> None:
    usage.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["chargeback", "hybrid", "--from", str(usage)])
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
