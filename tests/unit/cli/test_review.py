"""`breakeven review` without a network: what it compares with, runs, writes and refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from breakeven.cli import review
from breakeven.planning.offline import load_stack
from breakeven.reports.document.writing import as_output
from breakeven.settings.files import ROOT
from tests.unit.cli.running import exit_code


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for saved reviews."""
    monkeypatch.setattr(review, "PROJECT", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A saved estimate of the stack, for which nothing has to be estimated twice."""
    path = tmp_path_factory.mktemp("earlier") / "october.json"
    path.write_text(json.dumps(as_output(load_stack("on-prem").report())), encoding="utf-8")
    return str(path)


def test_a_first_review_compares_with_the_stack_as_it_was_and_saves_for_the_next(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = root / "review.md"
    arguments = ("review", "on-prem", "--save", "--output", str(output))
    assert exit_code(monkeypatch, *arguments) == 0
    body = output.read_text(encoding="utf-8")
    assert "**Should we still host this? Yes, keep hosting all of it.**" in body
    assert "Nothing, compared with the stack before this review." in body
    assert "This review changed: `stacks/reviews/on-prem.json`." in body
    saved = root / "stacks" / "reviews" / "on-prem.json"
    name, figures = review._before("on-prem", saved, date(2026, 11, 30))
    assert name == "the review in on-prem.json"
    assert figures.recommendation == "self-host"


def test_observations_are_reconciled_and_also_printed_as_json(
    root: Path, earlier: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = root / "figures.yaml"
    figures.write_text("tokensPerDay: 300000000\n", encoding="utf-8")
    options = ("--observed", str(figures), "--against", earlier, "--format", "json")
    assert exit_code(monkeypatch, "review", "on-prem", *options) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["stack"], told["choice"]) == (1, "on-prem", "self-host")
    [step] = told["steps"]
    assert (step["title"], step["answer"]) == ("Plan and actual", "breakeven reconcile")
    assert "tokensPerDay" in step["text"]


def test_files_that_cannot_be_used_end_it_with_one_message(
    root: Path, earlier: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = root / "bad.json"
    bad.write_text("{}", encoding="utf-8")
    for options, said in (
        (("--against", str(bad)), "cannot compare with"),
        (("--against", earlier, "--observed", str(bad)), "breakeven reconcile on-prem --from"),
        (("--against", earlier, "--prices", str(bad)), "breakeven prices refresh --from"),
    ):
        assert exit_code(monkeypatch, "review", "on-prem", *options) == 1
        error = capsys.readouterr().err
        assert said in error
        assert "Traceback" not in error
    assert exit_code(monkeypatch, "review", "nope") == 1
    assert "stack 'nope' not found" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
def test_prices_that_no_source_tells_do_not_stop_it(
    earlier: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "prices":
            return subprocess.CompletedProcess(arguments, 3, "", "error: aws: no answer")
        return run(arguments)

    run = review._run
    monkeypatch.setattr(review, "_run", unreachable)
    options = ("--refresh", "--against", earlier)
    assert exit_code(monkeypatch, "review", "on-prem", *options) == 0
    body = capsys.readouterr().out
    assert "Prices: some were kept, because a source did not answer" in body
    assert "aws: no answer" in body


def test_traffic_of_last_month_changes_the_stack_file_and_the_estimate(tmp_path: Path) -> None:
    for part in ("components", "charts", "stacks", "Pulumi.yaml"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / part)
    rows = "".join(
        f"2026-11-{day:02}T{hour:02}:00:00Z,900,100\n" for day in range(1, 15) for hour in range(24)
    )
    log = tmp_path / "november.csv"
    log.write_text(f"timestamp,input_tokens,output_tokens\n{rows}", encoding="utf-8")
    script = "from breakeven.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "review", "aws-prod", "--traffic", str(log), "--save"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "components")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stack = (tmp_path / "stacks" / "Pulumi.aws-prod.yaml").read_text(encoding="utf-8")
    assert "tokensPerDay: 24072" in stack
    assert "the recommendation" in done.stdout
    assert "Traffic of last month: breakeven traffic" in done.stdout
    assert "`stacks/Pulumi.aws-prod.yaml`, `stacks/traffic/`" in done.stdout
    assert (tmp_path / "stacks" / "reviews" / "aws-prod.json").is_file()
