"""`breakeven report` writes whole files, says what is wrong, and has the estimate's figures."""

from __future__ import annotations

import builtins
import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.cli.report import Format
from breakeven.planning import offline
from breakeven.settings.files import stack_values, with_settings
from tests.unit.cli.running import Run, exit_code
from tests.unit.reports.cases import amounts


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


# A cloud, one's own machines, an API beside, two models: each has lines that the others have not.
@pytest.mark.parametrize("stack", ["aws-prod", "on-prem", "hybrid", "two-models"])
def test_all_formats_have_the_same_total(
    stack: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    written: dict[str, str] = {}
    for output_format in Format:
        assert run("report", stack, "--format", output_format.value) == 0
        written[output_format.value] = capsys.readouterr().out
    total = Decimal(json.loads(written["json"])["selfHosted"]["total"])
    assert total in amounts(written["markdown"])
    assert total in amounts(re.sub("<[^>]*>", "", written["html"]))
    rows = json.loads(written["focus"])["rows"]
    assert round(sum(Decimal(row["ListCost"]) for row in rows), 2) == total
    cells = csv.DictReader(io.StringIO(written["focus-csv"]))
    assert round(sum(Decimal(row["ListCost"]) for row in cells), 2) == total


def test_markdown_is_the_default(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "dev") == 0
    assert capsys.readouterr().out.startswith("<!-- breakeven: dev -->\n")


def test_a_file_is_written_whole_without_leftovers(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "cost.json"
    target.write_text("old", encoding="utf-8")
    assert run("report", "dev", "--format", "json", "--output", str(target)) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["currency"] == "USD"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("target", "way_out"),
    [("missing/cost.html", "Create the folder first: mkdir -p"), (".", "Name a file")],
)
def test_a_read_only_place_is_reported(
    target: str, way_out: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", "dev", "--output", str(tmp_path / target)) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: cannot write {tmp_path / target}: ")
    assert way_out in told
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_page_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    assert run("report", "dev", "--format", "html") == 1
    assert "tools/bootstrap setup --dev --packages" in capsys.readouterr().err


def test_an_unknown_stack_is_reported(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "nope") == 1
    assert "error: stack 'nope' not found" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("report",), ("report", "dev", "--format", "pdf")])
def test_a_wrong_option_ends_with_1_because_2_says_over_budget(
    arguments: tuple[str, ...], run: Run
) -> None:
    assert run(*arguments) == 1


def test_a_stack_over_its_budget_is_written_and_ends_with_two(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "cost.json"
    monkeypatch.setattr(offline, "stack_values", with_values({"pricing.budgetPerMonth": "1000"}))
    for command in (
        ["report", "dev", "--format", "json", "--output", str(target)],
        ["estimate", "dev"],
    ):
        assert run(*command) == 2
        assert "over its budget" in capsys.readouterr().err
    assert json.loads(target.read_text(encoding="utf-8"))["budgetPerMonth"] == "1000.00"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"pricing.maxAgeDays": "1"}, 3),
        ({"api.inUse": "openai/none-such"}, 3),
        ({"pricing.maxAgeDays": "1", "traffic.tokensPerDay": "-1"}, 1),
        ({"traffic.tokensPerDay": "-1"}, 1),
    ],
)
def test_only_missing_and_stale_prices_end_with_three(
    values: dict[str, str], code: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "stack_values", with_values(values))
    for command in ("report", "estimate"):
        assert run(command, "aws-prod") == code


def with_values(values: Mapping[str, object]) -> Callable[[str], dict[str, object]]:
    return lambda stack: with_settings(stack_values(stack), values)
