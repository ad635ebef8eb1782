"""Stacks are made when they are first named, and committed stack files stay as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.tools.checkouts import ROOT, Checkout


def _settings(checkout: Checkout, *arguments: str, cwd: Path | None = None) -> list[str]:
    answer = checkout.bootstrap("pulumi", *arguments, cwd=cwd)
    assert answer.code == 0, answer.errors
    passed = answer.report()["arguments"]
    assert isinstance(passed, list)
    return passed


def test_an_unknown_stack_is_answered_with_those_that_exist(ready: Checkout) -> None:
    answer = ready.bootstrap("pulumi", "preview", "-s", "prod")
    assert answer.code == 1
    assert "stack 'prod' not found" in answer.errors
    assert "one of dev, on-prem" in answer.errors
    assert not list(ready.state.rglob("prod.json"))


@pytest.mark.parametrize(
    "named",
    [["-s", "dev"], ["-sdev"], ["--stack", "dev"], ["--stack=dev"], ["-s", "organization/x/dev"]],
    ids=" ".join,
)
def test_a_stack_is_made_when_it_is_first_named(ready: Checkout, named: list[str]) -> None:
    settings = ready.state / "settings" / "Pulumi.dev.yaml"
    passed = _settings(ready, "preview", *named, "--diff")
    assert passed == ["preview", "--config-file", str(settings), *named, "--diff"]
    assert (ready.state / ".pulumi/stacks/breakeven/dev.json").is_file()


def test_the_salt_is_kept_beside_the_state_and_not_in_the_committed_file(ready: Checkout) -> None:
    committed = ready.stack_file.read_text(encoding="utf-8")
    settings = ready.state / "settings" / "Pulumi.dev.yaml"
    _settings(ready, "preview", "-s", "dev")
    assert ready.stack_file.read_text(encoding="utf-8") == committed
    with_salt = f"{committed}encryptionsalt: v1:made-by-init\n"
    assert settings.read_text(encoding="utf-8") == with_salt


def test_a_changed_stack_file_is_followed_and_keeps_its_salt(ready: Checkout) -> None:
    _settings(ready, "preview", "-s", "dev")
    ready.stack_file.write_text("config:\n  breakeven:model: large\n", encoding="utf-8")
    _settings(ready, "up", "-s", "dev")
    settings = (ready.state / "settings" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert settings == "config:\n  breakeven:model: large\nencryptionsalt: v1:made-by-init\n"


def test_a_stack_file_with_secrets_of_its_own_is_used_as_it_is(ready: Checkout) -> None:
    ready.stack_file.write_text("encryptionsalt: v1:shared\n", encoding="utf-8")
    assert _settings(ready, "up", "-s", "dev") == ["up", "-s", "dev"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "set", "model", "large", "-s", "dev"],
        ["up", "-s", "dev", "-c", "breakeven:model=large"],
        ["up", "-s", "dev", "--config-file", "mine.yaml"],
        ["stack", "output", "-s", "dev"],
        ["stack", "rm", "-s", "another"],
        ["plugin", "ls"],
        [],
    ],
    ids=" ".join,
)
def test_commands_that_do_not_deploy_the_stack_as_committed_pass_unchanged(
    ready: Checkout, arguments: list[str]
) -> None:
    assert _settings(ready, *arguments) == arguments


def test_another_project_is_left_alone(ready: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Pulumi.yaml").write_text("name: other\nruntime: python\n", encoding="utf-8")
    arguments = ["preview", "-s", "dev"]
    assert _settings(ready, *arguments, cwd=other) == arguments
    elsewhere = ["-C", str(other), *arguments]
    assert _settings(ready, *elsewhere) == elsewhere


def test_global_options_before_the_command_are_understood(ready: Checkout) -> None:
    settings = ready.state / "settings" / "Pulumi.dev.yaml"
    passed = _settings(ready, "--color", "never", "preview", "-s", "dev")
    assert passed == ["--color", "never", "preview", "--config-file", str(settings), "-s", "dev"]


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="no Pulumi on PATH; `make test` has one")
def test_a_real_preview_leaves_the_committed_stack_file_untouched(checkout: Checkout) -> None:
    pulumi = shutil.which("pulumi")
    assert pulumi is not None
    checkout.environ["BREAKEVEN_CACHE"] = str(Path(pulumi).parents[3])
    checkout.environ["PATH"] = os.environ["PATH"]
    shutil.copyfile(ROOT / "requirements.txt", checkout.root / "requirements.txt")
    shutil.copyfile(ROOT / "requirements-dev.txt", checkout.root / "requirements-dev.txt")
    (checkout.root / ".venv").symlink_to(ROOT / ".venv")
    program = "import pulumi\npulumi.export('model', pulumi.Config('breakeven').require('model'))\n"
    (checkout.root / "__main__.py").write_text(program, encoding="utf-8")
    committed = checkout.stack_file.read_text(encoding="utf-8")
    for command in (["preview"], ["up", "--yes"], ["preview", "--json"], ["destroy", "--yes"]):
        answer = checkout.bootstrap("pulumi", *command, "-s", "dev", "--non-interactive")
        assert answer.code == 0, answer.output + answer.errors
        assert checkout.stack_file.read_text(encoding="utf-8") == committed
