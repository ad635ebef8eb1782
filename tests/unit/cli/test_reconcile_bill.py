"""`breakeven reconcile` with bills and with servers by address."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.cli.app import app
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack
from tests.unit.bills.exports import cur

STACK = "aws-prod"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["reconcile", STACK, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["reconcile", STACK, *arguments])
    assert isinstance(result.exception, UserError)
    return str(result.exception)


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    """One month of two nodes, a disk and tax."""
    days = {
        "line_item_usage_start_date": "2026-10-01T00:00:00Z",
        "line_item_usage_end_date": "2026-10-31T10:00:00Z",  # 730 hours
    }
    rows = [
        cur(**days, line_item_usage_amount="1460", line_item_unblended_cost="2920"),
        cur(
            **days,
            line_item_usage_type="EBS:VolumeUsage.gp3",
            product_instance_type="",
            pricing_unit="GB-Mo",
            line_item_unblended_cost="20.004",
        ),
        cur(**days, line_item_line_item_type="Tax", line_item_unblended_cost="100.005"),
        cur(**days, resource_tags="", line_item_unblended_cost="999"),
    ]
    path = tmp_path / "cur.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_difference_to_a_bill_is_parted_by_assumption_to_the_cent(
    bill: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.yaml"
    seen.write_text("tokensPerDay: 400000000\nstaffingPerMonth: 5000\n", encoding="utf-8")
    answer = json.loads(
        run("--from", str(bill), "--from", str(seen), "--tag", "stack=aws-prod", "--format", "json")
    )
    report = load_stack(STACK).report()
    found = answer["explanation"]
    steps = {step["assumption"]: Decimal(step["monthly"]) for step in found["steps"]}
    assert Decimal(found["planned"]) == report.total
    assert Decimal(found["planned"]) + sum(steps.values()) == Decimal(found["charged"])
    assert found["charged"] == "8040.01"  # 2,920.00 + 20.00 + 100.01 + 5,000.00
    assert steps["tax"] == Decimal("100.01")
    assert steps["people"] == 5000 - report.bill.staffing_monthly
    assert steps["contingency"] == -report.bill.contingency
    assert steps["traffic"] < 0  # fewer tokens than planned
    # By definition: the price that was paid less the planned one, for the hours that were paid.
    assert steps["price"] == 2920 - 1460 * Decimal("1.861")
    assert answer["version"] == 1
    [export] = answer["exports"]
    assert (export["rows"], export["selectedRows"]) == (4, 3)


def test_the_text_says_what_nothing_observed(bill: Path) -> None:
    text = run("--from", str(bill), "--tag", "stack=aws-prod")
    assert "From the planned to the charged monthly cost" in text
    assert "not observed" in text
    assert "3 of 4 rows" in text
    assert max(map(len, text.splitlines())) <= 96
    assert "use --tag to count one stack" in run("--from", str(bill), "--node-type", "g6e.xlarge")


def test_a_tag_that_every_row_has_is_not_requested_again(bill: Path) -> None:
    header, *rows = bill.read_text(encoding="utf-8").splitlines()
    own = [row for row in rows if "aws-prod" in row]
    bill.write_text("\n".join([header, *own]), encoding="utf-8")
    text = run("--from", str(bill), "--tag", "stack=aws-prod")
    assert f"{len(own)} of {len(own)} rows" in text
    assert "use --tag" not in text


def test_wrong_options_and_exports_are_one_message(bill: Path, tmp_path: Path) -> None:
    assert "--from, --prometheus, --opencost" in refused()
    assert 'found "stack"' in refused("--from", str(bill), "--tag", "stack")
    assert "none of 4 rows has stack=x" in refused("--from", str(bill), "--tag", "stack=x")
    (tmp_path / "empty").mkdir()
    assert "this folder contains no export" in refused("--from", str(tmp_path / "empty"))
    assert "no charge for p5.48xlarge" in refused("--from", str(bill), "--node-type", "p5.48xlarge")
    assert "cannot read the file" in refused("--from", str(tmp_path / "none.csv"))


Answers = dict[str, Any]


@pytest.fixture
def server() -> Iterator[tuple[str, Answers]]:
    """A stand-in for Prometheus and OpenCost: answers what a test sets, by path."""
    answers: Answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.setdefault("asked", []).append(self.path)
            answers.setdefault("authorization", []).append(self.headers.get("authorization"))
            path = self.path.partition("?")[0]
            query = "kube" if "kube_" in self.path else path
            code, body = answers.get(query, (404, {}))
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_address[1]}", answers
    listening.shutdown()
    listening.server_close()


def series(name: str, *points: tuple[float, str]) -> Answers:
    return {
        "metric": {"__name__": name, "model_name": "m"},
        "values": [list(one) for one in points],
    }


def matrix(*result: Answers) -> tuple[int, Answers]:
    return 200, {"status": "success", "data": {"resultType": "matrix", "result": list(result)}}


def test_prometheus_is_asked_by_address(
    server: tuple[str, Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, answers = server
    monkeypatch.setenv("PROMETHEUS_TOKEN", "kept-from-output")
    hour = [1_795_000_000 + 60 * minute for minute in range(61)]

    def counter(name: str, each: int) -> Answers:
        return series(name, *((moment, str(each * n)) for n, moment in enumerate(hour)))

    answers["/api/v1/query_range"] = matrix(
        counter("vllm:prompt_tokens_total", 1000),
        counter("vllm:generation_tokens_total", 500),
        counter("vllm:request_success_total", 10),
    )
    answers["kube"] = matrix({"metric": {}, "values": [[1_795_000_000, "2"]]})
    output = run("--prometheus", address, "--format", "json")
    figures = {row["figure"]: row["observed"] for row in json.loads(output)["figures"]}
    assert float(figures["inputTokensPerRequest"]) == 100
    assert float(figures["outputTokensPerRequest"]) == 50
    assert float(figures["nodeHoursPerMonth"]) == 2 * 730
    assert answers["authorization"] == ["Bearer kept-from-output"] * 2
    assert "kept-from-output" not in output


def test_opencost_is_asked_for_allocation_and_assets(server: tuple[str, Answers]) -> None:
    address, answers = server
    window = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
    pods = {"cpuCoreHours": 24, "cpuCost": 2.0, "gpuCost": 20.0, "ramCost": 2.0, "window": window}
    node = {"type": "Node", "gpuCount": 1, "gpuCost": 40.0, "totalCost": 48.0, "minutes": 2880}
    answers["/allocation"] = 200, {"code": 200, "data": [{"llm": {"name": "llm", **pods}}]}
    answers["/assets"] = 200, {"code": 200, "data": [{"n": {**node, "window": window}}]}
    output = json.loads(run("--opencost", address, "--format", "json"))
    figures = {row["figure"]: float(row["observed"]) for row in output["figures"]}
    assert figures["nodePricePerHour"] == 1
    assert figures["nodeHoursPerMonth"] == 2 * 730
    assert output["cost"]["observed"] == "730.00"


@pytest.mark.parametrize(
    ("code", "said"), [(401, "PROMETHEUS_TOKEN"), (404, "returned 404"), (302, "returned 302")]
)
def test_an_unexpected_answer_of_a_server_is_one_message(
    code: int, said: str, server: tuple[str, Answers]
) -> None:
    address, answers = server
    answers["/api/v1/query_range"] = code, {}
    secret = address.replace("http://", "http://user:secret@")
    message = refused("--prometheus", secret)
    assert said in message
    assert "secret" not in message


def test_a_server_that_is_not_there_is_one_message() -> None:
    assert "unreachable" in refused("--prometheus", "http://127.0.0.1:1")
    assert "invalid address" in refused("--opencost", "prometheus:9090")
