"""Whoever waits sees that something happens, on standard error."""

from __future__ import annotations

import io
import sys
import time

import pytest

from breakeven.cli.progress import waiting as module
from breakeven.cli.progress.waiting import waiting


def test_a_slow_step_is_reported_in_one_plain_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.01)
    with waiting("Weighing"):
        time.sleep(0.2)
    told = capsys.readouterr()
    assert told.err == "Weighing …\n"
    assert told.out == ""


def test_a_quick_step_is_not_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("Weighing"):
        pass
    assert capsys.readouterr().err == ""


def test_an_error_passes_through_and_nothing_is_reported_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.05)
    with pytest.raises(KeyError), waiting("Weighing"):
        raise KeyError
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    with waiting("Weighing"):
        pass
    assert "Weighing" in terminal.getvalue()
