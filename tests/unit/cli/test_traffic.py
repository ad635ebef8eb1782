"""`breakeven traffic`: files go in, settings and a shape come out, and never a prompt."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from breakeven.cli import app as cli
from breakeven.cli.traffic import command as traffic
from breakeven.cost.demand.load import read_shape
from breakeven.errors import Problem, UserError
from breakeven.percentiles import PERCENTILES
from breakeven.planning.inputs import inputs_of
from breakeven.settings.files import ROOT, stack_values, with_settings
from breakeven.settings.parse import parse
from breakeven.traffic.presets import TOKENS_PER_DAY
from tests.unit.traffic.logs import (
    FEW,
    SECRET,
    Request,
    azure_trace,
    bucket,
    counters,
    litellm_jsonl,
    litellm_row,
    openai_page,
    requests_csv,
    requests_jsonl,
    written,
)

HOURLY: tuple[Request, ...] = tuple(
    (hour * 3_600 + 600 * number, 1_000, 200)
    for hour in range(7 * 24)
    for number in range(6 if 8 <= hour % 24 < 18 else 1)
)
WEEK = (*HOURLY, (7 * 86_400 - 1, 1_000, 200))
"""Six requests an hour by day, one by night, and one in the last second of the week."""

AZURE_WITH_PROMPTS = "".join(
    f"{'prompt' if number == 0 else SECRET},{line}"
    for number, line in enumerate(azure_trace(WEEK).splitlines(keepends=True))
)
MALFORMED = f'{SECRET}, "{SECRET}\n{{"{SECRET}": "{SECRET}"}}\n'

STACK = """# ours
config:
  breakeven:model:
    name: qwen-2.5-7b-instruct # small
  breakeven:traffic:
    tokensPerDay: 5 # a guess
  breakeven:pool:
    kind: karpenter-aws
encryptionsalt: v1:abc
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, so that nothing is written into this one."""
    root = tmp_path / "project"
    (root / "stacks").mkdir(parents=True)
    written(root / "stacks" / "Pulumi.dev.yaml", STACK)
    monkeypatch.setattr(traffic, "PROJECT", root)
    return root


def breakeven(*arguments: str) -> str:
    """Runs the command; a mistake of the user comes out as its exception."""
    result = CliRunner().invoke(cli.app, ["traffic", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def files_of(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_week_of_requests_becomes_settings_and_a_shape(tmp_path: Path, project: Path) -> None:
    log = tmp_path / "november 2026.csv.gz"
    log.write_bytes(gzip.compress(requests_csv(WEEK).encode()))
    output = breakeven("import", str(log))
    requests = len(WEEK)
    settings = yaml.safe_load(output.split("Settings, for the stack file\n")[1].split("\n\n")[0])
    assert settings == {
        "breakeven:traffic": {
            "tokensPerDay": round(requests * 1_200 / 7 * 7 * 86_400 / (7 * 86_400 - 1)),
            "inputTokens": 1_000,
            "outputTokens": 200,
            "inputPercentiles": dict.fromkeys(PERCENTILES, 1_000),
            "outputPercentiles": dict.fromkeys(PERCENTILES, 200),
            "cachedInputPercent": 25,
            "shape": "november-2026",
        }
    }
    assert f"{requests:,} requests from 2026-11-02 00:00 to 2026-11-08 23:59 UTC" in output
    assert f"Rows: {requests:,} read, 0 bad\n" in output
    assert "traffic.burstFactor: unknown, fewer than 100 requests" in output
    assert output.endswith("Written: stacks/traffic/november-2026\n")
    shape = read_shape(project / "stacks" / "traffic" / "november-2026")
    assert len(shape) == 168
    assert shape[8] / shape[0] == pytest.approx(6, rel=1e-4)
    prose = [line for line in output.splitlines() if not line.startswith("    ")]
    assert max(map(len, prose)) <= 96


def test_json_has_the_same_figures(tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    figures = json.loads(breakeven("import", str(log), "--format", "json", "--name", "week"))
    assert figures["settings"]["traffic.shape"] == "week"
    assert figures["requests"] == len(WEEK)
    assert figures["inputTokens"] == 1_000 * len(WEEK)
    assert figures["rows"] == {"read": len(WEEK), "bad": {}, "leftOut": {}}
    assert figures["written"] == ["stacks/traffic/week"]


def test_a_stack_file_gets_exactly_the_measured_settings(tmp_path: Path, project: Path) -> None:
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    output = breakeven("import", str(log), "--stack", "dev")
    stack = (project / "stacks" / "Pulumi.dev.yaml").read_text()
    assert "Written: stacks/traffic/log\nWritten: stacks/Pulumi.dev.yaml\n" in output
    before, after = STACK.splitlines(), stack.splitlines()
    assert [line for line in before if line not in after] == ["    tokensPerDay: 5 # a guess"]
    assert sorted(line.split(":")[0].strip() for line in after if line not in before) == [
        "cachedInputPercent",
        "inputPercentiles",
        "inputTokens",
        "outputPercentiles",
        "outputTokens",
        "shape",
        "tokensPerDay",
    ]


def test_what_a_log_does_not_tell_leaves_the_stack_as_it_is(tmp_path: Path, project: Path) -> None:
    log = written(tmp_path / "log.csv", azure_trace(FEW))
    output = breakeven("import", str(log), "--stack", "dev")
    config = yaml.safe_load((project / "stacks" / "Pulumi.dev.yaml").read_text())["config"]
    assert not {"shape", "burstFactor"} & set(config["breakeven:traffic"])
    assert "traffic.shape: unknown, the log spans less than a day; stays published" in output
    assert not (project / "stacks" / "traffic").exists()


def a_day(tokens: int, longest: int = 0) -> tuple[Request, ...]:
    """A request every five minutes, and one in a thousand that is longer."""
    return (
        *((300 * number, tokens, 200) for number in range(1, 1_000)),
        (300_000, max(tokens, longest), 200),
    )


def problems_of(project: Path) -> tuple[Problem, ...]:
    """Mistakes of the stack file as it is after an import."""
    stack, problems = parse(stack_values("fits", project))
    return inputs_of("fits", stack, problems, date(2026, 11, 30)).problems


@pytest.mark.parametrize(
    ("requests", "length", "note"),
    [
        (a_day(9_900), 10_240, "so that the stack can still be estimated"),
        (a_day(9_900, 20_000), 20_480, ""),
        # qwen2.5-7b-instruct reads 32,768 tokens.
        (a_day(9_900, 40_000), 10_240, "the longest request has 40,200 tokens, more than"),
        (a_day(1_000), None, ""),
    ],
)
def test_an_import_leaves_a_stack_that_can_be_estimated(
    tmp_path: Path, project: Path, requests: tuple[Request, ...], length: int | None, note: str
) -> None:
    stack = (ROOT / "stacks" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    written(project / "stacks" / "Pulumi.fits.yaml", stack)
    assert problems_of(project) == ()
    log = written(tmp_path / "log.csv", azure_trace(requests))
    output = " ".join(breakeven("import", str(log), "--stack", "fits").split())
    assert note in output
    text = (project / "stacks" / "Pulumi.fits.yaml").read_text(encoding="utf-8")
    breakeven("import", str(log), "--stack", "fits")  # finds its own settings in the file
    again = (project / "stacks" / "Pulumi.fits.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(again) == yaml.safe_load(text)
    # The shape lies in this test's own project.
    written(project / "stacks" / "Pulumi.fits.yaml", text.replace("shape: log", "shape: flat"))
    assert problems_of(project) == ()
    config = yaml.safe_load(text)["config"]
    assert config.get("breakeven:model", {}).get("maxLength") == length
    percentiles = config["breakeven:traffic"]["inputPercentiles"]
    assert requests[0][1] <= percentiles["p99"] <= requests[0][1] * 1.008
    assert percentiles["max"] == requests[-1][1]


def test_an_import_says_what_no_longer_fits_and_what_to_run_next(
    tmp_path: Path, project: Path
) -> None:
    stack = (ROOT / "stacks" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    written(project / "stacks" / "Pulumi.fits.yaml", stack)
    log = written(tmp_path / "log.csv", azure_trace(a_day(30_000)))
    output = " ".join(breakeven("import", str(log), "--stack", "fits").split())
    before, _, after = output.partition("Settings, ")
    assert "Does not fit: replicas.targetRequests was 32, but a replica can hold only" in before
    assert "next: breakeven recommend fits" in after
    [told] = [
        note
        for note in json.loads(breakeven("import", str(log), "--format", "json"))["notes"]
        if "targetRequests" in note
    ] or [""]
    assert told == ""  # without a stack, nothing is changed
    written(project / "stacks" / "Pulumi.fits.yaml", stack)
    as_json = breakeven("import", str(log), "--stack", "fits", "--format", "json")
    assert json.loads(as_json)["notes"][0].startswith("replicas.targetRequests was 32")


def test_traffic_that_no_setting_can_fit_is_rejected_and_nothing_is_written(
    tmp_path: Path, project: Path
) -> None:
    stack = (ROOT / "stacks" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    written(project / "stacks" / "Pulumi.fits.yaml", stack)
    before = files_of(project)
    log = written(tmp_path / "log.csv", azure_trace(a_day(60_000)))
    with pytest.raises(UserError, match="would be invalid with this traffic") as refused:
        breakeven("import", str(log), "--stack", "fits")
    assert "breakeven:model.maxLength: " in str(refused.value)
    assert files_of(project) == before


def test_the_longest_request_is_printed_without_a_stack(tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", azure_trace(a_day(9_900, 40_000)))
    output = breakeven("import", str(log))
    assert "99% of requests have at most 10,112 input and output tokens" in output
    assert "the longest has 40,200" in " ".join(output.split())
    assert "    maxLength: 40960\n" in output


def test_the_spend_of_a_log_is_compared_with_list_prices(tmp_path: Path) -> None:
    rows = [
        litellm_row((3_600 * hour, 1_000, 200), model=model, spend=spend, metadata={})
        for hour in range(25)
        for model, spend in (("gpt-4o", 0.0036), ("own/unknown", 0.001))
    ]
    log = written(tmp_path / "log.json", json.dumps(rows))
    output = " ".join(breakeven("import", str(log)).split())
    # gpt-4o: $2.50 and $10.00 per 1M tokens, $0.0045 per request; 25 requests in a day.
    assert "The log states $0.12 for 1.0 days, $3.50/month." in output
    assert "cost $3.42/month; the logged spend is 20.0% below that." in output
    assert "Unknown list price: own/unknown." in output
    spend = json.loads(breakeven("import", str(log), "--format", "json"))["spend"]
    assert spend == {
        "usd": "0.1150",
        "usdPerMonth": "3.50",
        "listUsd": "0.11",
        "withoutListPrice": ["own/unknown"],
    }
    assert "Spend" not in breakeven("import", str(written(tmp_path / "a", azure_trace(WEEK))))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", requests_csv(WEEK) + MALFORMED),
        ("b.jsonl", requests_jsonl(WEEK) + MALFORMED),
        ("c.jsonl", litellm_jsonl(WEEK)),
        ("d.json", openai_page([bucket(3_600 * hour, 3_600, (9, 90, 9)) for hour in range(30)])),
        ("e.json", counters([(3_600 * hour, 9 * hour) for hour in range(30)])),
        (
            "f.csv",
            azure_trace(WEEK)
            .replace("TIMESTAMP", "prompt,TIMESTAMP")
            .replace("\n2", f"\n{SECRET},2"),
        ),
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_no_prompt_is_in_any_output_or_file(
    tmp_path: Path, project: Path, name: str, text: str, output_format: str
) -> None:
    log = written(tmp_path / name, text)
    assert SECRET in log.read_text()
    output = breakeven("import", str(log), "--stack", "dev", "--format", output_format)
    files = files_of(project)
    assert f"stacks/traffic/{name[0]}" in files
    assert SECRET not in output + "".join(files.values())
    assert "launch" not in output + "".join(files.values())


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET},1,2\n{SECRET},1,2\n",
        f'{{"{SECRET}": "{SECRET}"}}\n' * 3,
        f'[{{"prompt": "{SECRET}"}}, {SECRET}]',
        f'{{"status": "success", "data": "{SECRET}"}}',
        f'{{"object": "page", "data": "{SECRET}"}}',
        f"created_at,prompt_tokens,completion_tokens\n{SECRET},{SECRET},{SECRET}\n",
    ],
)
def test_no_prompt_is_in_a_refusal_and_nothing_is_written(
    tmp_path: Path, project: Path, text: str
) -> None:
    before = files_of(project)
    with pytest.raises(UserError) as refused:
        breakeven("import", str(written(tmp_path / "log", text)), "--stack", "dev")
    assert "launch" not in str(refused.value)
    assert files_of(project) == before


def test_bad_rows_are_reported_and_rejected_above_the_limit(tmp_path: Path, project: Path) -> None:
    log = written(tmp_path / "log.csv", requests_csv(WEEK) + "later,x,1,1,1\n" * 4)
    output = breakeven("import", str(log))
    assert "- time not understood: 4 (log.csv line" in output
    assert "and 1 more)" in output
    (project / "stacks" / "traffic" / "log").unlink()
    with pytest.raises(UserError, match=r"Allowed: 0\.5%\. Nothing was written"):
        breakeven("import", str(log), "--max-bad-percent", "0.5")
    assert not (project / "stacks" / "traffic" / "log").exists()


def test_a_generated_shape_is_replaced_and_a_manual_one_is_not(
    tmp_path: Path, project: Path
) -> None:
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    breakeven("import", str(log))
    breakeven("import", str(log))
    by_hand = written(project / "stacks" / "traffic" / "log", "1\n" * 24)
    with pytest.raises(UserError, match="stacks/traffic/log already exists and was not written by"):
        breakeven("import", str(log))
    assert by_hand.read_text() == "1\n" * 24


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "flat"], '--name: found "flat"'),
        (["--name", "../up"], r'--name: found "\.\./up"'),
        (["--stack", "none"], "stack 'none' not found.*Available: dev"),
        (["--timezone", "Mars/Olympus"], '--timezone: found "Mars/Olympus"'),
        (["--timezone", "../etc"], '--timezone: found "../etc"'),
        (["--columns", "when=x"], '--columns: found "when=x". Allowed: each of timestamp, input'),
        (["--columns", "input=a,input=b"], '--columns: found "input=b"'),
        (["--columns", "input="], '--columns: found "input="'),
        (["--kind", "litellm", "--columns", "input=x"], "has no effect with --kind litellm"),
        (["--columns", "input=no_such"], "found no column for input"),
        (["--model", "gpt-9"], "no request to gpt-9 in the log. It names no models"),
        (["--start", "monday"], '--start: found "monday". Allowed: a date or time'),
        (["--kind", "prometheus"], "its JSON is malformed or cut off at line 1"),
    ],
)
def test_a_mistake_is_one_message_and_nothing_is_written(
    tmp_path: Path, project: Path, arguments: list[str], message: str
) -> None:
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    before = files_of(project)
    with pytest.raises(UserError, match=message):
        breakeven("import", str(log), *arguments)
    assert files_of(project) == before


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv: cannot read the file: No such file"):
        breakeven("import", str(tmp_path / "none.csv"))


def test_a_stack_file_that_can_not_be_merged_keeps_the_shape_from_being_written(
    tmp_path: Path, project: Path
) -> None:
    written(project / "stacks" / "Pulumi.odd.yaml", "config: [1]\n")
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    with pytest.raises(UserError, match="Add these lines under config:"):
        breakeven("import", str(log), "--stack", "odd")
    assert not (project / "stacks" / "traffic").exists()


def test_a_folder_that_can_not_be_written_is_a_mistake(tmp_path: Path, project: Path) -> None:
    written(project / "stacks" / "traffic", "a file where the folder should be")
    log = written(tmp_path / "log.csv", requests_csv(WEEK))
    with pytest.raises(UserError, match="cannot write to"):
        breakeven("import", str(log), "--stack", "dev")
    assert (project / "stacks" / "Pulumi.dev.yaml").read_text() == STACK


@pytest.mark.parametrize(("preset", "tokens"), TOKENS_PER_DAY.items())
def test_a_preset_is_lines_that_a_stack_can_use(preset: str, tokens: int) -> None:
    lines, sources = breakeven("preset", preset).split("\n\n")
    stated = yaml.safe_load(lines)
    assert stated["breakeven:traffic"]["tokensPerDay"] == tokens
    assert "Azure LLM inference trace 2023" in sources
    as_json = json.loads(breakeven("preset", preset, "--format", "json"))
    assert {"breakeven:traffic": with_settings({}, as_json["settings"])["traffic"]} == stated
    stack, problems = parse(with_settings(stack_values("dev"), as_json["settings"]))
    [settings] = stack.models
    assert settings.traffic.tokens_per_day == tokens
    assert settings.traffic.input_tokens == 1_155
    assert problems == ()
