"""The program's estimate is made by another process, which ends with the program."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.bill.registered import Registered
from breakeven.errors import UserError
from breakeven.estimate_process import EstimateProcess
from breakeven.manifests.render import stack_components
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.program_estimate import ProgramEstimate
from breakeven.program_report import checked
from breakeven.settings.files import stack_values


def configuration(stack: str) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in stack_values(stack).items()
    }


@contextmanager
def estimating(stack: str, **stated: str) -> Iterator[EstimateProcess]:
    with EstimateProcess(stack, {**configuration(stack), **stated}) as process:
        yield process


@pytest.mark.parametrize("name", ["aws-prod", "hybrid", "two-models"])
def test_it_reports_what_the_same_functions_report_here(name: str) -> None:
    stack, inputs = checked(name, configuration(name))
    entries = ledger_entries(stack_components(stack))
    with estimating(name) as process:
        asyncio.run(process.check())
        report = asyncio.run(process.report(entries))
    here = ProgramEstimate(stack_values(name), stack, inputs.gather())
    assert report == here.report(entries)
    assert (report.token_prices is not None) == stack.gateway.is_hybrid


def test_what_a_program_adds_to_its_stack_is_in_the_bill_and_in_what_would_lower_it() -> None:
    stack, inputs = checked("dev", configuration("dev"))
    entries = ledger_entries(stack_components(stack))
    disk = Registered("disk", "aws:ebs/volume:Volume", {"type": "gp3", "size": 1000})
    estimate = ProgramEstimate(stack_values("dev"), stack, inputs.gather())
    alone: Any = estimate.report(entries).figures
    more: Any = estimate.report((*entries, disk)).figures
    added = Decimal(more["selfHosted"]["total"]) - Decimal(alone["selfHosted"]["total"])
    assert added > 0
    assert [lever["kind"] for lever in alone["levers"]] == [
        lever["kind"] for lever in more["levers"]
    ]
    for lever, same in zip(more["levers"], alone["levers"], strict=True):
        assert Decimal(lever["monthly"]) - Decimal(same["monthly"]) == added


def test_all_mistakes_of_a_stack_are_told_at_once() -> None:
    with (
        estimating("aws-prod", replicas='{"min": -1}', pricing='{"region": "atlantis"}') as process,
        pytest.raises(UserError) as told,
    ):
        asyncio.run(process.check())
    assert "replicas.min" in str(told.value)
    assert "/atlantis/" in str(told.value)


def test_a_process_that_was_killed_is_an_error_and_not_a_wait() -> None:
    with estimating("dev") as process:
        asyncio.run(process.check())
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="exit code -9"):
            asyncio.run(process.report(()))


def test_it_ends_with_the_program_that_started_it() -> None:
    with estimating("dev") as process:
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_modules_of_the_users_folder_are_not_taken_for_those_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with estimating("dev") as process:
        asyncio.run(process.check())
