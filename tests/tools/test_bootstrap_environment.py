"""The environment that `env`, `run` and `pulumi` share."""

from __future__ import annotations

import subprocess

import pytest

from tests.tools.checkouts import Checkout


def test_env_survives_a_path_that_a_shell_would_take_apart(odd_ready: Checkout) -> None:
    answer = odd_ready.bootstrap("env")
    assert answer.code == 0, answer.errors
    shell = subprocess.run(
        ["/bin/sh", "-c", 'eval "$1"; printf %s "$PULUMI_BACKEND_URL"', "sh", answer.output],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == f"file://{odd_ready.state}?metadata=skip"


def test_env_prints_nothing_but_shell_code(ready: Checkout) -> None:
    lines = ready.bootstrap("env").output.splitlines()
    assert all(line.startswith("export ") for line in lines[:-1])
    assert lines[-1].startswith("pulumi() {")


def test_pulumi_typed_after_env_makes_the_stack(odd_ready: Checkout) -> None:
    answer = odd_ready.bootstrap("env")
    subprocess.run(
        ["/bin/sh", "-c", 'eval "$1"; pulumi preview -s dev', "sh", answer.output],
        cwd=odd_ready.root,
        env={"PATH": str(odd_ready.programs)},
        capture_output=True,
        check=True,
    )
    assert (odd_ready.state / ".pulumi/stacks/breakeven/dev.json").is_file()


def test_run_finds_the_environment_first_and_passes_its_exit_code(ready: Checkout) -> None:
    script = "import os, sys; print(os.environ['PATH']); sys.exit(7)"
    answer = ready.bootstrap("run", "python", "-c", script)
    assert answer.code == 7
    assert answer.output.split(":")[0] == str(ready.root / ".venv" / "bin")


def test_run_inside_run_does_not_grow_the_path(ready: Checkout) -> None:
    script = "import os; print(os.environ['PATH'])"
    once = ready.bootstrap("run", "python", "-c", script).output
    ready.environ["PATH"] = once.strip()
    assert ready.bootstrap("run", "python", "-c", script).output == once


def test_run_names_a_program_that_is_not_there(ready: Checkout) -> None:
    answer = ready.bootstrap("run", "no-such-program")
    assert answer.code == 1
    assert "no-such-program" in answer.errors
    assert "setup --dev" in answer.errors


def test_a_ready_checkout_says_nothing_of_its_own(ready: Checkout) -> None:
    assert ready.bootstrap("pulumi", "about").errors == ""


def test_output_that_is_no_terminal_has_no_control_characters(ready: Checkout) -> None:
    for command in (["setup"], ["pulumi", "preview", "-s", "unknown"]):
        assert "\x1b" not in ready.bootstrap(*command).errors


@pytest.mark.parametrize("command", [[], ["setup"], ["env"], ["run"]], ids=str)
def test_help_shows_examples(checkout: Checkout, command: list[str]) -> None:
    answer = checkout.bootstrap(*command, "--help")
    assert answer.code == 0
    assert "example" in answer.output
