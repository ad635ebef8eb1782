"""Progress is on standard error, as lines where there is no terminal."""

from __future__ import annotations

import io
import sys

import pytest

from breakeven.cli.progress import byte_progress as progress


def test_lines_tell_the_share_that_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    with progress.byte_progress(200) as advance:
        advance(50)
        advance(150)
    captured = capsys.readouterr()
    assert captured.err == "read 25%\nread 100%\n"
    assert captured.out == ""


def test_a_quick_read_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 3_600.0)
    with progress.byte_progress(0) as advance:
        advance(50)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.byte_progress(2_000_000) as advance:
        advance(1_000_000)
    assert "Reading" in terminal.getvalue()
    assert "1.0/2.0 MB" in terminal.getvalue()
