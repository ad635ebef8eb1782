"""`breakeven diff` compares with a stack, a file or the deployment, and keeps to a budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.errors import ExitCode
from breakeven.type_tokens import ESTIMATE
from tests.unit.cli.running import Run, exit_code

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return lambda *arguments: exit_code(monkeypatch, *arguments)


@pytest.fixture
def saved(run: Run, tmp_path: Path) -> Path:
    """The figures of stack dev in a file."""
    path = tmp_path / "dev.json"
    assert run("report", "dev", "--format", "json", "--output", str(path)) == 0
    return path


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a stand-in for Pulumi, a shell script, on PATH."""

    def put(script: str) -> None:
        program = tmp_path / "pulumi"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def test_a_saved_report_of_the_same_stack_shows_no_change(
    run: Run, saved: Path, capsys: Capture
) -> None:
    assert run("diff", "dev", "--against", str(saved), "--format", "json") == ExitCode.FINE
    output = json.loads(capsys.readouterr().out)
    assert {line["change"] for line in output["lines"]} == {"unchanged"}
    assert output["recommendation"]["changed"] is False


def test_another_stack_is_compared_by_name(run: Run, capsys: Capture) -> None:
    assert run("diff", "dev", "--against", "on-prem") == ExitCode.FINE
    shown = capsys.readouterr().out
    assert shown.startswith("Cost of stack dev, compared with stack on-prem\n")
    assert "from self-host to hosted API for the same model" in shown


def test_the_deployment_is_asked_of_pulumi(
    run: Run, saved: Path, tmp_path: Path, pulumi: Callable[[str], None], capsys: Capture
) -> None:
    inputs = json.loads(saved.read_text(encoding="utf-8"))
    state = {"deployment": {"resources": [{"type": ESTIMATE, "inputs": inputs}]}}
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    asked = f'[ "$*" = "stack export --stack dev --non-interactive" ] && cat {tmp_path}/state.json'
    pulumi(asked)
    assert run("diff", "dev", "--format", "markdown") == ExitCode.FINE
    shown = capsys.readouterr().out
    assert shown.startswith("<!-- breakeven: diff stack dev -->\n")
    assert "compared with what is deployed" in shown


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no stack named dev found' >&2; exit 255", "no stack named dev found"),
        ("echo '{\"deployment\": {}}'", "cannot compare with stack dev as deployed"),
    ],
)
def test_a_stack_that_is_not_deployed_is_reported(
    script: str, message: str, run: Run, pulumi: Callable[[str], None], capsys: Capture
) -> None:
    pulumi(script)
    assert run("diff", "dev") == ExitCode.ERROR
    assert message in capsys.readouterr().err


def test_without_pulumi_the_next_command_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("diff", "dev") == ExitCode.ERROR
    assert "python3 tools/bootstrap run breakeven diff dev" in capsys.readouterr().err


def test_over_budget_ends_with_2_and_one_message(run: Run, saved: Path, capsys: Capture) -> None:
    code = run("diff", "dev", "--against", str(saved), "--budget", "3000")
    assert code == ExitCode.OVER_BUDGET
    shown = capsys.readouterr()
    total = json.loads(saved.read_text(encoding="utf-8"))["selfHosted"]["total"]
    over = float(total) - 3000
    assert shown.out.startswith("Cost of stack dev")
    assert "limit:  $3,000.00/month" in shown.err
    assert f"actual: ${float(total):,.2f}" in shown.err
    assert f"over:   ${over:,.2f}" in shown.err


def test_within_budget_ends_with_0(run: Run, saved: Path, capsys: Capture) -> None:
    assert run("diff", "dev", "--against", str(saved), "--budget", "9e9") == ExitCode.FINE
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("budget", ["x", "0", "-5", "nan", "inf", ""])
def test_an_invalid_budget_is_reported_before_anything_is_shown(
    budget: str, run: Run, saved: Path, capsys: Capture
) -> None:
    capsys.readouterr()
    code = run("diff", "dev", "--against", str(saved), f"--budget={budget}")
    assert code == ExitCode.ERROR
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f'error: --budget: found "{budget}"' in shown.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no json", "line 1: invalid JSON"),
        (b"{}", "selfHosted is missing"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_not_a_report_is_rejected(
    content: bytes | None, message: str, run: Run, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    assert run("diff", "dev", "--against", str(path)) == ExitCode.ERROR
    told = capsys.readouterr().err
    assert str(path) in told
    assert message in told
    assert "breakeven report STACK --format json --output FILE" in told
