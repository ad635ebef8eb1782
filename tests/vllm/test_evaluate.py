"""`breakeven evaluate` with the real inspect-ai against two real vLLM servers.

Of the two models one is better by construction: each answers every prompt with one word, and of the
fifty prompts the word of the own model answers forty, and that of the other model ten.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bootstrap.environments import environment
from bootstrap.vllm import Vllm
from breakeven.cli.app import app
from breakeven.cli.evaluate import command
from breakeven.planning import own_evaluation
from breakeven.planning.offline import load_stack
from tests.vllm.rendered import KEY, engine_of
from tests.vllm.server import Server, starting

STACK = "dev"
OTHER = "acme/small"
"""Name of the other endpoint; no such API exists, and its price is stated."""

PROMPTS = 50
RIGHT = {"Paris": 40, "Rome": 10}
"""How many prompts each word answers."""

_SCRIPT = Path(__file__).with_name("answering_model.py")
_REQUIREMENTS = Path(__file__).parent / "inspect" / "requirements.txt"


@pytest.fixture(scope="module")
def inspect() -> Path:
    contents = "inspect-ai (a minute)"
    return environment("inspect-ai", _REQUIREMENTS, contents=contents) / "bin" / "inspect"


def answering(vllm: Vllm, word: str, folder: Path) -> Vllm:
    """The installation with a model that answers with one word."""
    script = [str(vllm.python), str(_SCRIPT), str(vllm.model), str(folder), word]
    subprocess.run(script, check=True, env={"PATH": os.environ["PATH"]})
    return replace(vllm, model=folder)


def prompt_file(folder: Path) -> Path:
    path = folder / "prompts.jsonl"
    words = [word for word, number in RIGHT.items() for _ in range(number)]
    lines = [
        {"id": f"prompt-{number}", "prompt": f"Question {number}?", "check": {"exact": word}}
        for number, word in enumerate(words)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


def evaluated(own: Server, other: Server, inspect: Path, folder: Path) -> None:
    served = own.engine.model
    result = CliRunner().invoke(
        app,
        [
            *("evaluate", STACK, "--prompts", str(prompt_file(folder)), "--inspect", str(inspect)),
            *("--endpoint", f"own={own.address}", "--endpoint", f"{OTHER}={other.address}"),
            *("--model", f"{OTHER}={served}", "--price", f"{OTHER}=0.10/0.40"),
            *("--api-key", "own=THE_KEY", "--api-key", f"{OTHER}=THE_KEY"),
            *("--max-tokens", "16", "--budget", "1", "--yes"),
        ],
        env={"THE_KEY": KEY},
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output


def test_two_real_models_are_compared_by_the_cost_of_a_solved_task(
    vllm: Vllm, inspect: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = tmp_path / "evaluations"
    for module in (command, own_evaluation):
        monkeypatch.setattr(module, "EVALUATIONS", records)
    with ExitStack() as servers:
        started = []
        for word in RIGHT:
            model = answering(vllm, word, tmp_path / f"model-{word}")
            replica = starting(engine_of(STACK), model, tmp_path / f"replica-{word}")
            started.append(servers.enter_context(replica))
            started[-1].wait_until_ready()  # two that start at once take three times as long
        own, other = started
        evaluated(own, other, inspect, tmp_path)

    [record] = records.glob("*.json")
    results = {each["name"]: each for each in json.loads(record.read_text("utf-8"))["results"]}
    assert {name: (each["passed"], each["answered"]) for name, each in results.items()} == {
        "own": (RIGHT["Paris"], PROMPTS),
        OTHER: (RIGHT["Rome"], PROMPTS),
    }
    # The letters of the word and the token that ends it.
    assert results["own"]["output_tokens"] == len("Paris") + 1
    assert results[OTHER]["output_tokens"] == len("Rome") + 1

    assumptions = load_stack(STACK).report().assumptions
    requests = assumptions.load.requests_per_day * assumptions.calendar.days_per_month
    estimated = CliRunner().invoke(
        app, ["estimate", STACK, "--format", "json"], catch_exceptions=False
    )
    solved = {each["api"]: each for each in json.loads(estimated.stdout)["quality"]["solved"]}
    assert list(solved) == [None, OTHER]
    for name, word in ((None, "Paris"), (OTHER, "Rome")):
        share = RIGHT[word] / PROMPTS
        assert solved[name]["passRate"] == share
        expected = float(solved[name]["monthly"]) / (float(requests) * share)
        assert float(solved[name]["perSolvedTask"]) == pytest.approx(expected, abs=1e-6)
    text = " ".join(CliRunner().invoke(app, ["estimate", STACK]).output.split())
    assert "Cost per solved task" in text
    assert "Quality was not compared" not in text
