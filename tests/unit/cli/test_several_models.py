"""A stack of several models: commands that know one say so, the others show each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.planning.offline import load_stack
from tests.unit.cli.running import Run, exit_code

STACK = "two-models"
MODELS = ("llama-3.1-8b-instruct", "qwen3-14b")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(run: Run, capsys: pytest.CaptureFixture[str]) -> Said:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(*arguments)
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return call


@pytest.mark.parametrize(
    "arguments",
    [
        ("recommend", STACK),
        ("sensitivity", STACK),
        ("reconcile", STACK, "--from", "week.json"),
        ("bundle", "plan", STACK, "--model", "."),
    ],
)
def test_a_command_that_knows_one_model_says_so(
    arguments: tuple[str, ...], said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("week.json").write_text("{}", encoding="utf-8")
    code, _, error = said(*arguments)
    assert code == 1
    assert "serves several models" in error
    assert "stack file" in error  # what to do instead


def test_the_simulated_week_is_that_of_the_named_model(said: Said, one_day: None) -> None:
    del one_day
    shown = {}
    for name in MODELS:
        code, out, _ = said("simulate", STACK, "--model", name, "--format", "json")
        assert code == 0
        shown[name] = json.loads(out)["simulated"]["nodeHours"]
    assert len(set(shown.values())) == len(MODELS)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [((), "not given"), (("--model", "qwen3-8b"), 'found "qwen3-8b"')],
)
def test_a_week_without_a_model_of_the_stack_is_refused(
    arguments: tuple[str, ...], found: str, said: Said
) -> None:
    code, _, error = said("simulate", STACK, *arguments)
    assert code == 1
    assert found in error
    assert ", ".join(MODELS) in error


def test_a_page_shows_the_week_of_each_model_and_no_single_inputs(said: Said) -> None:
    code, page, _ = said("report", STACK, "--format", "html")
    assert code == 0
    for name in MODELS:
        assert f"Utilization of the GPUs of {name}" in page
    assert "Monthly cost by model" in page
    assert 'id="tornado"' not in page
    assert "sensitivity are only computed for single-model stacks" in page  # the note that says why


def test_json_has_each_model_and_the_notes_say_what_is_left_out(said: Said) -> None:
    code, out, _ = said("estimate", STACK, "--format", "json")
    assert code == 0
    report = json.loads(out)
    assert [model["model"] for model in report["models"]] == list(MODELS)
    assumptions = load_stack(STACK).assumptions
    assert report["tokensPerDay"] == assumptions.tokens_per_day
    assert report["hybrid"] is None
    assert any("Hybrid splits" in note for note in report["notes"])
