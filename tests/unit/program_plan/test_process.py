"""The program's estimate is made by another process, which ends with the program."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.bill.registered import Registered
from breakeven.errors import UserError
from breakeven.manifests.render import stack_components
from breakeven.manifests.resource import whole
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.program_plan.answer import Checked
from breakeven.program_plan.estimate import ProgramEstimate
from breakeven.program_plan.planner import checked
from breakeven.program_plan.process import EstimateProcess
from breakeven.settings.files import stack_values


def configuration(stack: str) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in stack_values(stack).items()
    }


@contextmanager
def estimating(name: str, **stated: str) -> Iterator[EstimateProcess]:
    values = {**configuration(name), **stated}
    keys = {f"breakeven:{key}": value for key, value in values.items()}
    process = EstimateProcess(name, keys)
    try:
        yield process
    finally:
        process.end()


def estimate_of(name: str) -> tuple[ProgramEstimate, tuple[Registered, ...]]:
    stack, inputs = checked(name, configuration(name))
    components = stack_components(stack)
    estimate = ProgramEstimate(stack_values(name), stack, components, inputs.gather())
    registered = ledger_entries(replace(component, started_last=()) for component in components)
    return estimate, registered


@pytest.mark.parametrize("name", ["aws-prod", "hybrid", "two-models"])
def test_it_reports_what_the_same_functions_report_here(name: str) -> None:
    here, entries = estimate_of(name)
    with estimating(name) as process:
        found = asyncio.run(process.check())
        report = asyncio.run(process.report(entries))
    stack, _ = checked(name, configuration(name))
    assert report == here.report(entries)
    assert found == Checked(tuple(map(whole, stack_components(stack))), "")
    assert bool(report.components) == stack.gateway.is_hybrid


def test_what_a_program_adds_to_its_stack_is_in_the_bill_and_in_what_would_lower_it() -> None:
    estimate, entries = estimate_of("dev")
    disk = Registered("disk", "aws:ebs/volume:Volume", {"type": "gp3", "size": 1000})
    alone: Any = estimate.report(entries).figures
    more: Any = estimate.report((*entries, disk)).figures
    added = Decimal(more["selfHosted"]["total"]) - Decimal(alone["selfHosted"]["total"])
    assert added > 0
    assert [lever["kind"] for lever in alone["levers"]] == [
        lever["kind"] for lever in more["levers"]
    ]
    for lever, same in zip(more["levers"], alone["levers"], strict=True):
        assert Decimal(lever["monthly"]) - Decimal(same["monthly"]) == added


def test_all_mistakes_of_a_stack_are_reported_together() -> None:
    with (
        estimating("aws-prod", replicas='{"min": -1}', pricing='{"region": "atlantis"}') as process,
        pytest.raises(UserError) as told,
    ):
        asyncio.run(process.check())
    assert "replicas.min" in str(told.value)
    assert "/atlantis/" in str(told.value)


def test_problems_that_prevent_only_a_deployment_are_reported() -> None:
    model = '{"name": "qwen2.5-7b-instruct", "repository": "someone/else"}'
    with estimating("dev", model=model) as process:
        assert "no commit of" in asyncio.run(process.check()).undeployable


def test_the_program_loads_neither_settings_nor_cost() -> None:
    code = (
        "import sys, breakeven.program, breakeven.resources.ledger\n"
        "import breakeven.resources.registration, breakeven.preflight_hint\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('breakeven.')}\n"
        "late = {f'breakeven.program_plan.{name}' for name in ('planner', 'estimate')}\n"
        "print(*sorted(rooms), *sorted({'numpy', 'pydantic', *late} & sys.modules.keys()))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(answer.stdout.split())
    assert loaded == {
        *("cost", "errors", "manifests", "preflight_hint", "program", "program_plan", "resources"),
        "type_tokens",
    }


def test_the_process_loads_nothing_that_downloads_prices() -> None:
    code = (
        "import sys; from datetime import UTC, datetime\n"
        "from breakeven.program_plan.planner import leave_out_the_updater\n"
        "leave_out_the_updater()\n"
        "from breakeven.catalog.apis.prices import token_rates\n"
        "day = datetime(2026, 11, 30, tzinfo=UTC)\n"
        "token_rates('openai/gpt-5-mini', input_tokens=9, output_tokens=9, on=day)\n"
        "print(*sorted({'asyncio', 'genai_prices', 'httpx2', 'ssl'} & sys.modules.keys()))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["genai_prices"]


def test_a_process_that_was_killed_is_an_error_and_not_a_wait() -> None:
    with estimating("dev") as process:
        asyncio.run(process.check())
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(UserError, match="exit code -9"):
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
