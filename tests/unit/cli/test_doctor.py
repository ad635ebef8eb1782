"""`breakeven doctor` asks the tools of the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import breakeven.cli.doctor as module
from tests.unit.cli.published import validator_of
from tests.unit.cli.running import exit_code


def test_it_passes_on_what_the_tools_find(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = exit_code(monkeypatch, "doctor", "--format", "json")
    found = json.loads(capfd.readouterr().out)
    validator_of("doctor").validate(found)
    assert code == (0 if found["ready"] else 1)


def test_without_a_checkout_it_says_where_to_type_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    assert exit_code(monkeypatch, "doctor") == 1
    assert "make doctor" in capsys.readouterr().err
