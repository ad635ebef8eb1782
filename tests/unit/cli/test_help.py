"""Every command explains itself, in 80 columns, and its example is one that it takes."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from breakeven.cli.app import Commands, app
from breakeven.reports import text
from breakeven.settings.files import ROOT
from breakeven.version import program_version
from tests.each import each
from tests.unit.cli.running import all_commands, exit_code

_WITHOUT_FIGURES = {
    ("model", "add"),
    ("model", "import-recipes"),
    ("prices", "refresh"),
    ("prices", "import-apis"),
    ("render",),
    ("serve",),
}
"""Commands whose output is a file or a page, not figures."""

ROOT_COMMAND: Any = all_commands()


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


ALL = dict(commands(ROOT_COMMAND))
LEAVES = {path: command for path, command in ALL.items() if not hasattr(command, "commands")}


def words_of(path: tuple[str, ...]) -> list[str]:
    """What follows the command in its example."""
    [example] = re.findall(r"Example: (breakeven .*)", LEAVES[path].help, flags=re.DOTALL)
    program, *words = shlex.split(example)
    assert (program, *words[: len(path)]) == ("breakeven", *path)
    return words[len(path) :]


@each("path", ALL)
def test_help_is_printed_in_80_plain_columns_with_an_example(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert exit_code(monkeypatch, *path, "--help") == 0
    shown = capsys.readouterr().out
    assert "Example: breakeven " in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


@each("path", LEAVES)
def test_the_example_is_a_call_that_the_command_takes(path: tuple[str, ...]) -> None:
    LEAVES[path].make_context(path[-1], words_of(path))  # raises where an option does not exist


FIGURES = [
    path
    for path in LEAVES
    # The result of these is files or a digest.
    if path[0] != "bundle" and path not in _WITHOUT_FIGURES
]


@pytest.mark.parametrize("path", FIGURES, ids=" ".join)
def test_figures_can_be_had_as_json(path: tuple[str, ...]) -> None:
    LEAVES[path].make_context(path[-1], [*words_of(path), "--format", "json"])
    with pytest.raises(Exception, match=r"is not one of .*'json'"):
        LEAVES[path].make_context(path[-1], [*words_of(path), "--format", "nonsense"])


@pytest.mark.parametrize("name", Commands.places)
def test_the_list_of_commands_has_the_first_line_of_each_command(name: str) -> None:
    assert ROOT_COMMAND.commands[name].help.splitlines()[0] == Commands.places[name].help


COMPLETION = {
    "_BREAKEVEN_COMPLETE": "complete_bash",
    "COMP_WORDS": "breakeven e",
    "COMP_CWORD": "1",
}


def test_help_and_completion_import_no_command() -> None:
    script = (
        "import os, sys\n"
        "from breakeven.cli.start import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "print([name for name in sys.modules if name.startswith('breakeven.')])\n"
    )
    for arguments, environment in ((["--help"], {}), ([], COMPLETION)):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "estimate" in done.stdout
        loaded = ast.literal_eval(done.stdout.splitlines()[-1])
        assert {*loaded} - {"breakeven.cli.quick_completion"} == {
            "breakeven.cli",
            "breakeven.cli.app",
            "breakeven.cli.lazy_group",
            "breakeven.cli.progress",
            "breakeven.cli.progress.terminal",
            "breakeven.cli.start",
            "breakeven.errors",
            "breakeven.printable",
        }


def test_completion_can_be_installed() -> None:
    assert {"--install-completion", "--show-completion"} <= {
        option for parameter in ROOT_COMMAND.params for option in parameter.opts
    }


def terminal_of(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


@pytest.mark.parametrize(("columns", "width"), [(40, 72), (80, 80), (96, 96), (200, 96)])
def test_tables_are_as_wide_as_the_terminal_but_readable(
    columns: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal_of(monkeypatch, columns)
    assert text.columns() == width


@pytest.mark.parametrize(
    "command", ["estimate aws-prod", "recommend dev", "simulate dev", "diff dev --against hybrid"]
)
def test_what_a_terminal_of_80_columns_shows_has_80_and_cuts_no_figure(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal_of(monkeypatch, 80)
    assert exit_code(monkeypatch, *command.split()) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown


def test_elsewhere_tables_have_their_full_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert text.columns() == text.WIDTH


@each("path", LEAVES)
def test_a_paragraph_of_help_is_one_line_that_the_terminal_wraps(path: tuple[str, ...]) -> None:
    for paragraph in LEAVES[path].help.split("\n\n"):
        assert "\n" not in paragraph.strip("\n")


FORMATS = {"text", "markdown", "html", "json", "csv", "focus", "focus-csv"}


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_format_has_the_same_name_in_every_command(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert exit_code(monkeypatch, *path, "--help") == 0
    shown = capsys.readouterr().out
    found = re.findall(r"--format +<([^>]+)>", shown)
    assert len(found) == int("--format  " in shown)
    for names in found:
        assert set(names.split("|")) <= FORMATS


def test_version_is_that_of_the_project() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"breakeven {program_version(ROOT)}\n")
    assert re.search(r"\d+\.\d+\.\d+", result.stdout)
