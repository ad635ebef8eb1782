"""Runs the command line as a shell would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import typer

from breakeven.cli.app import Commands, app
from breakeven.cli.start import main

Run: TypeAlias = Callable[..., int]


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs `breakeven ARGUMENTS` and returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["breakeven", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int | None)
    return code or 0


def all_commands() -> Any:
    """Returns the root command with every command below it imported."""
    root: Any = typer.main.get_command(app)
    for name, place in Commands.places.items():
        root.commands[name] = place.load(name)
        for below, inner in getattr(root.commands[name], "places", {}).items():
            root.commands[name].commands[below] = inner.load(below)
    return root
