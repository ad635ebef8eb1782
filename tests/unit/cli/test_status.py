"""`breakeven status` is one screen, the same as JSON, and ends where no cluster answers."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from breakeven.cli.status.screen import screen
from breakeven.cluster.status.snapshot import (
    AlertNow,
    CandidateNow,
    Cause,
    ModelNow,
    NodesNow,
    NotReady,
    Snapshot,
    Spend,
)
from tests.unit.cli.running import exit_code
from tests.unit.cluster.preflight.whole import needs_of, whole
from tests.unit.cluster.recorded import TOKEN, Recorded, serving, write_kubeconfig

SNAPSHOT = Snapshot(
    stack="aws-prod",
    context="prod",
    at=datetime(2026, 11, 30, 12, 30, tzinfo=UTC),
    models=[
        ModelNow(
            model="llama-3.1-8b-instruct",
            wanted=4,
            ready=3,
            not_ready=[NotReady(cause=Cause.GPU, replicas=1, detail="no free nvidia.com/gpu")],
            running=120,
            queue=8,
            first_token_p95_seconds=0.84,
            requests_per_second=5.25,
        )
    ],
    nodes=[
        NodesNow(
            machine="g6e.xlarge", purchase="on-demand", count=4, ready=3, hourly_each=Decimal("1.9")
        ),
        NodesNow(machine="g6e.2xlarge", purchase="spot", count=1, ready=1, hourly_each=None),
    ],
    spend=Spend(
        hourly_now=Decimal("12.34"),
        this_hour=Decimal("6.17"),
        today=Decimal(140),
        this_month=Decimal(7800),
        planned_hourly=Decimal(11),
        planned_today=Decimal("137.5"),
        planned_this_month=Decimal(7800),
        planned_month=Decimal(8030),
        budget_month=Decimal(9000),
        source="recorded by Prometheus",
    ),
    own_share=0.97,
    api_share=0.03,
    alerts=[
        AlertNow(
            name="QueueGrows",
            severity="warning",
            summary="They wait.",
            since="2026-11-30T12:00",
        )
    ],
    missing=[],
)


def _text(snapshot: Snapshot, error: str = "") -> str:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    console.print(screen(snapshot, error))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in printed.splitlines())


def test_one_screen_tells_all_of_it() -> None:
    assert (
        _text(SNAPSHOT)
        == """\
aws-prod on prod, 2026-11-30 12:30:00 UTC
replicas          4 wanted, 3 ready, 1 not ready
                  1 not ready (gpu): no free nvidia.com/gpu
queue             8 queued, 120 running; 5.25 requests/s
TTFT, P95         0.84 s
nodes             4 x g6e.xlarge, on-demand, 1 not ready, $1.90/h each
                  1 x g6e.2xlarge, spot, price unknown
cost now          $12.34/h; plan $11.00/h
spend this hour   $6.17
spend today       $140.00; planned so far $137.50
spend this month  $7,800.00; planned so far $7,800.00, full month $8,030.00, budget $9,000.00
                  (recorded by Prometheus)
traffic split     97% self-hosted, 3% API
 Alert       Severity  Since             Summary
 QueueGrows  warning   2026-11-30T12:00  They wait."""
    )


def test_a_candidate_is_next_to_its_model() -> None:
    candidate = CandidateNow(
        wanted=2,
        ready=1,
        not_ready=[NotReady(cause=Cause.IMAGE, replicas=1, detail="not found")],
        planned_share=0.1,
        share=0.08,
        failed_share=0.015,
        first_token_p95_seconds=None,
    )
    [model] = SNAPSHOT.models
    tried = model.model_copy(update={"candidate": candidate})
    text = _text(SNAPSHOT.model_copy(update={"models": [tried]}))
    assert (
        """\
TTFT, P95         0.84 s
candidate         2 wanted, 1 ready, 1 not ready
                  1 not ready (image): not found
                  8% of self-hosted requests, planned 10%; 1.5% failed
                  TTFT, P95 unknown
"""
        in text
    )


def test_a_screen_that_is_not_refreshed_says_so() -> None:
    assert _text(SNAPSHOT, "no response").endswith("not refreshed: no response")


def test_text_and_json_are_printed_once_without_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Recorded(whole(needs_of("aws-prod")))) as address:
        config = str(write_kubeconfig(tmp_path / "config", address))
        assert exit_code(monkeypatch, "status", "aws-prod", "--kubeconfig", config) == 0
        text = capsys.readouterr().out
        arguments = ("aws-prod", "--kubeconfig", config, "--format", "json")
        assert exit_code(monkeypatch, "status", *arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert "replicas          not deployed" in text
    assert (told["version"], told["stack"], told["nodes"]) == (1, "aws-prod", [])
    assert TOKEN not in text + json.dumps(told)


def test_watch_prints_until_ctrl_c_and_outlives_an_api_server_that_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = Recorded(whole(needs_of("aws-prod")))
    naps = 0

    def nap(_: float) -> None:
        nonlocal naps
        naps += 1
        recorded.dies_after = len(recorded.calls) if naps == 1 else None
        if naps == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", nap)
    with serving(recorded) as address:
        config = str(write_kubeconfig(tmp_path / "config", address))
        arguments = ("aws-prod", "--kubeconfig", config, "--watch", "--format", "json")
        assert exit_code(monkeypatch, "status", *arguments) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["stack"] for line in printed.out.splitlines()] == ["aws-prod"] * 2
    assert printed.err.count("closed the connection") == 1


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_screen_is_refreshed_in_place_until_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(whole(needs_of("aws-prod")))
    naps = 0

    def nap(_: float) -> None:
        nonlocal naps
        naps += 1
        recorded.dies_after = len(recorded.calls) if naps == 2 else None
        if naps == 3:
            raise KeyboardInterrupt

    terminal = _Terminal()
    with serving(recorded) as address:
        config = write_kubeconfig(tmp_path / "config", address)
        monkeypatch.setattr(time, "sleep", nap)
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setenv("TERM", "xterm")
        arguments = ("status", "aws-prod", "--kubeconfig", str(config), "--watch")
        assert exit_code(monkeypatch, *arguments) == 0
    drawn = terminal.getvalue()
    assert "\x1b[1A" in drawn  # the cursor goes up, over the screen before
    assert "not refreshed: the API server at" in drawn
    assert "Traceback" not in drawn


def test_no_cluster_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
    assert exit_code(monkeypatch, "status", "dev", "--kubeconfig", config) == 1
    assert capsys.readouterr().err.startswith("error: the API server at http://127.0.0.1:9")
