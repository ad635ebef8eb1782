"""Runs the command line as a shell would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest

from breakeven.cli.app import main

Run: TypeAlias = Callable[..., int]


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs `breakeven ARGUMENTS` and returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["breakeven", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int | None)
    return code or 0
