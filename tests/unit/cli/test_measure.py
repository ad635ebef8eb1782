"""`breakeven measure`: the record, and the estimate that uses it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.bundle.archive.signing import make_keys
from breakeven.cli.app import app
from breakeven.cli.measure import command
from breakeven.errors import UserError
from breakeven.measurements.record import from_text, matching, read_records
from breakeven.planning import own_measurement
from breakeven.planning.offline import load_values
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.sentences.notes import report_notes
from breakeven.settings.files import stack_values, with_settings
from tests.recording import settings_of
from tests.unit.cost.builders import TODAY
from tests.unit.manifests.monitoring.stacks import alerts_of
from tests.unit.measurements.test_results import VLLM, changed

STACK = "aws-prod"


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "measurements"
    monkeypatch.setattr(command, "MEASUREMENTS", folder)
    monkeypatch.setattr(own_measurement, "MEASUREMENTS", folder)
    return folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["measure", STACK, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["measure", STACK, *arguments])
    assert isinstance(result.exception, UserError)
    return str(result.exception)


def imported(tmp_path: Path, **fields: object) -> str:
    path = tmp_path / "result.json"
    path.write_text(changed(VLLM, **fields), encoding="utf-8")
    return run("--from", str(path), "--model", "acme/model-8b")


def test_an_imported_result_decides_the_capacity_and_says_so(tmp_path: Path, records: Path) -> None:
    said = imported(tmp_path)
    assert "uses it: 1,280 output tokens per second and replica" in said
    [path] = records.glob("*.json")
    record = from_text(path.read_text(encoding="utf-8"), path.name)
    assert (record.input_tokens, record.output_tokens) == (1024, 256)
    capacity = load_values(STACK, stack_values(STACK), TODAY).assumptions.capacity
    assert (capacity.method, capacity.record) == ("own-measurement", path.name)
    assert capacity.output_tokens_per_second == pytest.approx(1280)


def test_the_alert_about_throughput_uses_the_record_where_it_matches(tmp_path: Path) -> None:
    [before] = planned_costs(load_values(STACK, stack_values(STACK), TODAY).report())
    assert before.measured_by == ""
    imported(tmp_path)
    [planned] = planned_costs(load_values(STACK, stack_values(STACK), TODAY).report())
    assert planned.measured_by.startswith(STACK)
    # 1,280 output tokens a second, and four times as many input tokens; measured within 5%.
    assert planned.replica_tokens_per_second == pytest.approx(5 * 1280)
    assert planned.replica_tokens_low == pytest.approx(0.95 * 5 * 1280)
    alert = alerts_of(settings_of(STACK), planned)["ThroughputBelowPlan"]
    assert (
        f"the plan has 6400 (measured in {planned.measured_by})" in alert["annotations"]["summary"]
    )
    changed_since = with_settings(stack_values(STACK), {"engine.args": {"async-scheduling": False}})
    [estimated] = planned_costs(load_values(STACK, changed_since, TODAY).report())
    assert estimated.measured_by == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"engine.kvCachePrecision": "fp8"}, "another value of kv-cache-precision"),
        ({"engine.args": {"enable-chunked-prefill": False}}, "another value of enable-chunked"),
        ({"traffic.outputTokens": 600}, "requests of 1,024 / 256 tokens"),
    ],
)
def test_a_change_since_the_measurement_is_a_warning(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    imported(tmp_path)
    values = with_settings(stack_values(STACK), change)
    loaded = load_values(STACK, values, TODAY)
    assert loaded.assumptions.capacity.record == ""
    assert any(said in note for note in report_notes(loaded.report()))


@pytest.mark.parametrize(
    "other", [{"gpu": "l4"}, {"precision": "fp8"}, {"tensor_parallel": 2}, {"repository": "a/b"}]
)
def test_another_model_or_gpu_is_another_measurement(
    other: dict[str, Any], tmp_path: Path, records: Path
) -> None:
    imported(tmp_path)
    [record] = read_records(records)
    assert list(matching((record,), record.served)) == [(record, ())]
    assert not list(matching((record,), replace(record.served, **other)))


def test_a_signed_record_verifies_and_a_broken_one_is_named(tmp_path: Path, records: Path) -> None:
    make_keys(tmp_path / "key", tmp_path / "key.pub")
    result = tmp_path / "result.json"
    result.write_text(json.dumps(VLLM), encoding="utf-8")
    run("--from", str(result), "--model", "acme/model-8b", "--key", str(tmp_path / "key"))
    [signature] = records.glob("*.sig")
    assert len(signature.read_bytes()) == 64
    (records / "broken.json").write_text("{}", encoding="utf-8")
    assert "broken.json" in refused("--from", str(result), "--model", "acme/model-8b")


def test_a_trusted_key_refuses_records_that_it_did_not_sign(tmp_path: Path, records: Path) -> None:
    make_keys(tmp_path / "key", tmp_path / "key.pub")
    result = tmp_path / "result.json"
    result.write_text(json.dumps(VLLM), encoding="utf-8")
    run("--from", str(result), "--model", "acme/model-8b", "--key", str(tmp_path / "key"))
    trusted = records / "signing.pub"
    trusted.write_bytes((tmp_path / "key.pub").read_bytes())
    [record] = records.glob("*.json")
    assert load_values(STACK, stack_values(STACK), TODAY).assumptions.capacity.record == record.name
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace("1280", "9280"), encoding="utf-8")
    with pytest.raises(UserError, match="the file was changed, or signed with another key"):
        load_values(STACK, stack_values(STACK), TODAY)
    record.write_text(text, encoding="utf-8")
    record.with_name(f"{record.name}.sig").unlink()
    with pytest.raises(UserError, match="not signed"):
        load_values(STACK, stack_values(STACK), TODAY)
    trusted.write_text("none", encoding="utf-8")
    with pytest.raises(UserError, match="is not an ed25519 key"):
        load_values(STACK, stack_values(STACK), TODAY)


def test_the_band_widens_with_the_distance_from_what_was_measured(tmp_path: Path) -> None:
    imported(tmp_path)

    def band(**lengths: int) -> float:
        changes = {f"traffic.{name}": value for name, value in lengths.items()}
        values = with_settings(stack_values(STACK), changes)
        capacity = load_values(STACK, values, TODAY).assumptions.capacity
        assert capacity.record
        low = capacity.low_requests_per_second / capacity.requests_per_second
        assert low == pytest.approx(1 - capacity.error_percent / 100)
        return capacity.error_percent

    same = band(inputTokens=1024, outputTokens=256)
    near = band(inputTokens=1024, outputTokens=280)
    far = band(inputTokens=1024, outputTokens=320)
    assert (same, far) == pytest.approx((5, 15), abs=0.01)
    assert same < near < far


def test_what_cannot_be_used_is_one_message(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    result.write_text(json.dumps(VLLM), encoding="utf-8")
    assert "--model acme/model-8b" in refused("--from", str(result))
    assert "cannot read the file" in refused("--from", str(tmp_path / "none.json"))
    assert "one of --target URL and --in-cluster" in refused()
    assert "one of --target URL" in refused("--in-cluster", "--target", "http://x")
    assert "--image is missing" in refused("--in-cluster")
    assert "acme/guidellm:v1 has no digest" in refused(
        "--in-cluster", "--image", "acme/guidellm:v1"
    )
    assert "cannot start" in refused("--target", "http://x", "--guidellm", "/no", "--yes")


STAND_IN = """
import json, sys
from pathlib import Path
spec = json.loads(Path(sys.argv[3]).read_text())["spec"]
[streams] = spec["profile"]["streams"]
log = Path(__file__).with_name("log")
log.write_text((log.read_text() if log.exists() else "") + f"{streams} ")
if Path(__file__).with_name("dies").exists() and streams > 2:
    sys.exit("the server went away, and the key is " + spec["backend"].get("api_key", ""))
[data] = spec["data"]
def of(mean):
    return {"successful": {"mean": mean, "percentiles": {"p95": mean}}}
Path(spec["outputs"][0]["path"]).write_text(json.dumps({"benchmarks": [{
    "config": {"strategy": {"type_": "concurrent", "streams": streams}},
    "metrics": {
        "request_totals": {"successful": 10 * streams, "errored": 0},
        "prompt_token_count": of(data["prompt_tokens"] + data.get("prefix_tokens", 0)),
        "output_token_count": of(data["output_tokens"]),
        "output_tokens_per_second": of(min(streams, 8) * 100),
        "request_concurrency": of(streams),
        "time_to_first_token_ms": of(20 * streams),
        "inter_token_latency_ms": of(10),
    }}]}))
"""


@pytest.fixture
def guidellm(tmp_path: Path) -> Path:
    """A stand-in for guidellm: answers as a replica that is full at eight requests."""
    program = tmp_path / "guidellm"
    program.write_text(f"#!{sys.executable}\n{STAND_IN}", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_the_concurrency_is_raised_until_the_replica_is_full(guidellm: Path, records: Path) -> None:
    said = run("--target", "http://localhost:1", "--guidellm", str(guidellm), "--yes")
    assert "no step is started that would end after 30" in said
    assert "for the replica during that time" in said
    assert "the replica is full" in said
    assert "uses it: 800 output tokens per second" in said
    assert guidellm.with_name("log").read_text(encoding="utf-8") == "1 2 4 8 16 "
    assert [path.suffix for path in records.iterdir()] == [".json"]


def test_an_interrupted_run_continues_and_shows_no_key(
    guidellm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "kept-from-output")
    dies = guidellm.with_name("dies")
    dies.touch()
    arguments = ("--target", "http://localhost:1", "--guidellm", str(guidellm), "--yes")
    message = refused(*arguments)
    assert "no result at concurrency 4: the server went away" in message
    assert "kept-from-output" not in message
    dies.unlink()
    run(*arguments)
    assert guidellm.with_name("log").read_text(encoding="utf-8") == "1 2 4 4 8 16 "


def test_a_budget_that_holds_no_step_starts_nothing(guidellm: Path) -> None:
    message = refused(
        *("--target", "http://localhost:1", "--guidellm", str(guidellm), "--yes"),
        *("--budget", "0.0001"),
    )
    assert "no step fits the budget" in message
    assert not guidellm.with_name("log").exists()
