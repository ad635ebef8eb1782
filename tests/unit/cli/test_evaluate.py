"""`breakeven evaluate`: the record, and the estimate that says what a solved task costs."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.bundle.archive.signing import make_keys
from breakeven.cli.app import app
from breakeven.cli.evaluate import command
from breakeven.cost.answers.solved import solved_costs
from breakeven.cost.report import Report
from breakeven.errors import UserError
from breakeven.planning import own_evaluation
from breakeven.planning.offline import load_values
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.markdown import markdown
from breakeven.reports.page import page
from breakeven.settings.files import stack_values, with_settings
from tests.unit.cost.builders import TODAY

STACK = "aws-prod"
API = "openai/gpt-5.6-luna"

STAND_IN = """
import json, os, sys
from pathlib import Path
run = json.loads(Path(sys.argv[4].partition("=")[2]).read_text())
beside = Path(__file__).parent
(beside / "run.json").write_text(json.dumps(run))
keys = {name: os.environ.get(each["key"]) for name, each in run["endpoints"].items()}
(beside / "keys.json").write_text(json.dumps(keys))
if (beside / "fails").exists():
    sys.exit(f"it broke, with the key {keys}")
answers = json.loads((beside / "answers.json").read_text())
with open(run["journal"], "a") as journal:
    def note(**fields):
        journal.write(json.dumps(fields) + "\\n")
    note(tool="inspect-ai 0.0.0")
    for question in run["questions"]:
        place = question["endpoint"], question["prompt"]
        found = answers.get(f"{place[0]} {place[1]}", answers.get(place[0]))
        if "usd" not in found:
            note(endpoint=place[0], prompt=place[1], **found)
            continue
        note(prompt=place[1], endpoint=place[0], asked=question["asked"], seconds=0.5,
             inputTokens=100, judgeUsd=0.0, answer="the secret answer", toolCalls=[], **found)
    journal.write('{"half a li')
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    records = tmp_path / "evaluations"
    monkeypatch.setattr(command, "EVALUATIONS", records)
    monkeypatch.setattr(own_evaluation, "EVALUATIONS", records)
    program = tmp_path / "inspect"
    program.write_text(f"#!{sys.executable}\n{STAND_IN}", encoding="utf-8")
    program.chmod(0o755)
    return records


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    line = json.dumps({"prompt": "the secret prompt", "check": {"exact": "x"}})
    path.write_text("\n".join([line] * 10), encoding="utf-8")
    return path


def said_by(model: str, *, passes: bool = True, tokens: int = 20, **others: object) -> Any:
    failed = [] if passes else ["exact"]
    return {
        "model": model,
        "failed": failed,
        "empty": False,
        "outputTokens": tokens,
        "usd": 0.001,
        **others,
    }


def answering(tmp_path: Path, **changes: object) -> None:
    """Makes the stand-in's model pass 6 of 10, and the API 9, of which 3 are those it failed."""
    own = "llama-3.1-8b-instruct"
    answers: dict[str, object] = {"own": said_by(own, tokens=30), API: said_by("gpt-5.6-luna")}
    for number in (1, 2, 3, 4):
        answers[f"own {number}"] = said_by(own, passes=False, tokens=30)
    answers[f"{API} 1"] = said_by("gpt-5.6-luna", passes=False)
    (tmp_path / "answers.json").write_text(json.dumps(answers | changes), encoding="utf-8")


def run(prompts: Path, *arguments: str) -> Any:
    inspect = str(prompts.with_name("inspect"))
    return CliRunner().invoke(
        app,
        [
            *("evaluate", STACK, "--prompts", str(prompts), "--inspect", inspect, "--yes"),
            *("--endpoint", "own=http://localhost:1", "--endpoint", f"{API}=http://localhost:2"),
            *arguments,
        ],
    )


def refused(prompts: Path, *arguments: str) -> str:
    result = run(prompts, *arguments)
    assert isinstance(result.exception, UserError)
    return str(result.exception)


def estimated(changes: dict[str, object] | None = None) -> Report:
    values = with_settings(stack_values(STACK), changes or {})
    return load_values(STACK, values, TODAY).report()


def test_an_evaluation_ends_in_the_cost_of_a_solved_task(
    tmp_path: Path, prompts: Path, folder: Path
) -> None:
    answering(tmp_path)
    result = run(prompts)
    assert result.exit_code == 0, result.output
    assert "10 prompts, 20 requests to:" in result.output
    assert "No request that could exceed $5.00 (--budget) is started" in result.output
    assert "Cost per solved task" in result.output
    [path] = folder.glob("*.json")
    text = path.read_text(encoding="utf-8")
    assert "secret" not in text
    record = json.loads(text)
    own, api = record["results"]
    assert (own["passed"], own["answered"], own["interval"]) == (6, 10, [0.3127, 0.8318])
    assert (api["own_failed"], api["solved_own_failed"]) == (4, 3)
    assert record["complete"]
    assert record["tool"] == "inspect-ai 0.0.0"
    # What was said stays in a folder that no version control sees.
    [kept] = (folder / ".answers").glob("*.jsonl")
    assert "the secret answer" in kept.read_text(encoding="utf-8")
    assert (folder / ".answers" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_costs_per_task_follow_from_pass_rates(tmp_path: Path, prompts: Path) -> None:
    answering(tmp_path)
    run(prompts)
    report = estimated()
    own, both, api = solved_costs(report)
    requests = report.assumptions.load.requests_per_day * report.assumptions.calendar.days_per_month
    assert own.per_task == report.total / (requests * Decimal("0.6"))
    assert api.per_task == report.api.monthly / (requests * Decimal("0.9"))
    # Four of ten are answered again, and three of these four are then solved.
    assert both.share == pytest.approx(0.9)
    again = report.api.price.usd_per_request * requests * Decimal("0.4")
    assert both.monthly == pytest.approx(report.total + again)


def test_stated_escalation_is_not_counted_twice(tmp_path: Path, prompts: Path) -> None:
    answering(tmp_path)
    run(prompts)
    plain = [cost.monthly for cost in solved_costs(estimated())]
    stated = [cost.monthly for cost in solved_costs(estimated({"api.escalation.percent": 40}))]
    assert stated == pytest.approx(plain)


def test_every_form_says_whether_quality_was_compared(tmp_path: Path, prompts: Path) -> None:
    before = estimated()
    sentence = "Quality was not compared"
    document: Any = as_output(before)
    assert document["quality"] is None
    assert any(sentence in reason for reason in document["recommendation"]["reasons"])
    for form in (render(before), markdown(before), page(before, None)):
        assert sentence in " ".join(form.split())
    answering(tmp_path)
    run(prompts)
    after = estimated()
    document = as_output(after)
    assert [each["kind"] for each in document["quality"]["solved"]] == ["own", "escalated", "api"]
    assert document["quality"]["solved"][0]["passRate"] == 0.6
    for form in (render(after), markdown(after), page(after, None)):
        assert sentence not in " ".join(form.split())
        assert "Cost per solved task" in form
    text = " ".join(render(after).split())
    assert "api.escalation.percent to 40" in text
    assert "api.ownOutputPercent 150" in text


@pytest.mark.parametrize("change", [{"model.precision": "fp8"}, {"engine.kvCachePrecision": "fp8"}])
def test_another_precision_is_another_model(
    change: dict[str, object], tmp_path: Path, prompts: Path
) -> None:
    answering(tmp_path)
    run(prompts)
    report = estimated(change)
    assert report.assumptions.quality is None
    assert "are not used. Evaluate the current model" in " ".join(render(report).split())


def test_what_was_answered_is_not_asked_again(tmp_path: Path, prompts: Path) -> None:
    answering(tmp_path, **{API: {"error": "Connection error"}})
    result = run(prompts)
    assert result.exit_code == 1
    assert f"{API} did not answer 9 requests; last error: Connection error." in result.output
    assert "Some prompts have no answer" in " ".join(result.output.split())
    answering(tmp_path)
    assert run(prompts).exit_code == 0
    asked = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert len(asked["questions"]) == 9
    assert asked["budget"] == pytest.approx(5 - 11 * 0.001)


def test_an_endpoint_that_never_answers_is_named_and_not_recorded(
    tmp_path: Path, prompts: Path, folder: Path
) -> None:
    lost = {"givenUp": "gpt-5.6-luna was asked for, and other answered"}
    answering(tmp_path, own=lost, **{API: lost}, **{f"own {n}": lost for n in (1, 2, 3, 4)})
    (tmp_path / "answers.json").write_text(json.dumps({"own": lost, API: lost}), encoding="utf-8")
    message = refused(prompts)
    assert "no endpoint gave an answer; nothing was recorded" in message
    assert "and other answered" in message
    assert not list(folder.glob("*.json"))


def test_a_key_is_named_by_its_variable_and_never_shown(
    tmp_path: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("THE_KEY", "kept-from-output")
    answering(tmp_path)
    result = run(prompts, "--api-key", f"{API}=THE_KEY")
    keys = json.loads((tmp_path / "keys.json").read_text(encoding="utf-8"))
    assert keys == {"own": None, API: "kept-from-output"}
    written = [path for path in folder.rglob("*") if path.is_file()]
    texts = [path.read_text(encoding="utf-8") for path in (*written, tmp_path / "run.json")]
    assert not any("kept-from-output" in text for text in (*texts, result.output))
    (tmp_path / "fails").touch()
    message = refused(prompts, "--api-key", f"{API}=THE_KEY")
    assert "inspect sent no request: it broke" in message
    assert "kept-from-output" not in message


def test_all_mistakes_of_the_command_line_are_one_message(prompts: Path) -> None:
    message = refused(
        prompts,
        *("--endpoint", "opena/gpt-5=http://user:hidden@x", "--api-key", "own=sk-hidden"),
        *("--api-key", "sk-hidden", "--price", f"{API}=a/b", "--model", "none=x"),
        *("--api-key", f"{API}=NO_SUCH_VARIABLE"),
    )
    assert "hidden" not in message
    for said in (
        "opena/gpt-5 contains a user or password",
        "--api-key own: not the name of an environment variable",
        "--api-key: found no NAME=VALUE",
        f"--price {API}: not INPUT/OUTPUT",
        "--model none: unknown endpoint",
        "the environment variable NO_SUCH_VARIABLE is empty",
        "Did you mean openai/gpt-5",
    ):
        assert said in message


def test_prompts_that_must_stay_inside_go_to_no_address_outside(prompts: Path) -> None:
    result = CliRunner().invoke(
        app,
        [
            *("evaluate", "on-prem", "--prompts", str(prompts), "--yes"),
            *("--endpoint", f"{API}=https://api.openai.com"),
        ],
    )
    assert "network.dataMayLeave: false" in str(result.exception)


def test_a_judge_is_required_if_a_prompt_needs_one(tmp_path: Path, prompts: Path) -> None:
    judged = {"prompt": "x", "check": {"judge": "is polite"}}
    prompts.write_text(json.dumps(judged), encoding="utf-8")
    assert "prompt 1 has a judge check" in refused(prompts)
    answering(tmp_path)
    result = run(prompts, "--judge", "openai/gpt-5=http://localhost:3")
    assert "judge: gpt-5 at http://localhost:3/v1; at most $" in result.output


def test_a_trusted_key_refuses_evaluations_that_it_did_not_sign(
    folder: Path, tmp_path: Path, prompts: Path
) -> None:
    make_keys(tmp_path / "key", tmp_path / "key.pub")
    answering(tmp_path)
    assert run(prompts, "--key", str(tmp_path / "key")).exit_code == 0
    (folder / "signing.pub").write_bytes((tmp_path / "key.pub").read_bytes())
    [record] = folder.glob("*.json")
    signature = record.with_name(f"{record.name}.sig")
    quality = estimated().assumptions.quality
    assert quality is not None
    assert quality.record == record.name
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"passed": 6', '"passed": 9'), encoding="utf-8")
    with pytest.raises(UserError, match="the file was changed, or signed with another key"):
        estimated()
    record.write_text(text, encoding="utf-8")
    signature.unlink()
    with pytest.raises(UserError, match=r"is not signed.*Evaluate again with --key"):
        estimated()


def test_a_record_without_a_key_leaves_no_older_signature(
    folder: Path, tmp_path: Path, prompts: Path
) -> None:
    make_keys(tmp_path / "key", tmp_path / "key.pub")
    answering(tmp_path)
    run(prompts, "--key", str(tmp_path / "key"))
    assert list(folder.glob("*.sig"))
    run(prompts)
    assert not list(folder.glob("*.sig"))


def test_a_key_that_cannot_sign_is_refused_before_anything_is_asked(
    tmp_path: Path, prompts: Path
) -> None:
    answering(tmp_path)
    assert "key file not found" in refused(prompts, "--key", str(tmp_path / "missing"))
    assert not (tmp_path / "run.json").exists()


def test_a_broken_record_is_named(folder: Path, tmp_path: Path, prompts: Path) -> None:
    answering(tmp_path)
    run(prompts)
    [path] = folder.glob("*.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    for change, said in (
        ({"version": 2}, "has version 2"),
        ({"prompts": "many"}, "prompts is"),
        ({"results": []}, "results"),
        ({"surprise": 1}, "unknown key surprise"),
    ):
        path.write_text(json.dumps(record | change), encoding="utf-8")
        with pytest.raises(UserError, match=said):
            estimated()
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match="not an evaluation record"):
        estimated()
