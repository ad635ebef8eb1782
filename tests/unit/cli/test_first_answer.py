"""A workload is estimated without a stack file, exactly as `init` would write it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

import breakeven.cli.init.command as init_command
from breakeven.errors import ExitCode
from breakeven.planning.offline import load_values
from breakeven.reports.estimate_text import render
from breakeven.settings.files import stack_values
from tests.unit.cli.running import exit_code
from tests.unit.cost.builders import TODAY

MODEL = ["--model", "llama-3.1-8b-instruct", "--tokens-per-day", "7M"]


def test_init_continues_with_the_same_values_and_the_same_bill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command that the output ends with writes a stack whose tables are those shown."""
    options = [*MODEL, "--gpu", "l4", "--input-tokens", "2k", "--cached-input-percent", "30"]
    assert exit_code(monkeypatch, "estimate", *options) == ExitCode.FINE
    shown = capsys.readouterr().out
    [command] = re.findall(r"^ +breakeven (init .*)$", shown, re.MULTILINE)
    monkeypatch.setattr(init_command, "PROJECT", tmp_path)
    assert exit_code(monkeypatch, *shlex.split(command)) == ExitCode.FINE
    values = stack_values("chat", tmp_path)
    loaded = load_values("chat", values, TODAY)
    tables = render(loaded.report_with_levers()).partition("Monthly cost of self-hosting")[2]
    # Below them are the days of the prices, which are stale or not by today's date.
    assert tables.partition("\nNotes\n")[0] in shown.replace(" (stale)", "")


def test_what_no_option_states_is_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "estimate", *MODEL) == ExitCode.FINE
    assumed = capsys.readouterr().out.partition("Defaults used")[2]
    for option in ("--where", "--region", "--gpu", "--input-tokens", "--output-tokens", "--api"):
        assert f"\n{option} " in assumed
    assert "\n--model" not in assumed
    assert "\n--tokens-per-day" not in assumed


def test_programs_get_json_alone_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "estimate", *MODEL, "--format", "json") == ExitCode.FINE
    out, err = capsys.readouterr()
    assert json.loads(out)["tokensPerDay"] == 7_000_000
    assert "breakeven init chat --model llama-3.1-8b-instruct" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to estimate. Name a stack"),
        (["dev", "--gpu", "l4"], "stack dev cannot be combined with --gpu l4"),
        (["--model", "nope", "--gpu", "nope"], "invalid answers"),
        (["--where", "own"], "in USD: --node-price"),
        (["--tokens-per-day", "many"], "such as 60000000, 60M, 1.5B or 5e7"),
        (["--input-tokens", "2M"], "up to 1,000,000"),
        (["--api", "nobody/nothing"], "breakeven:api.inUse"),
    ],
)
def test_options_that_cannot_be_estimated_are_reported(
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = exit_code(monkeypatch, "estimate", *arguments)
    assert code in {ExitCode.ERROR, ExitCode.PRICE}
    assert told in " ".join(capsys.readouterr().err.replace("│", " ").split())
