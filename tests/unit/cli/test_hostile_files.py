"""Files that somebody made to break their reader end in one message, at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.running import exit_code

DEEP = {"deep.json": '{"a":' * 200_000, "deep-list.json": "[" * 200_000 + "]" * 200_000}
FIELD = {"wide.csv": "a" * 200_000}
COMMANDS = (
    ("check",),
    ("model", "inspect"),
    ("measure", "dev", "--from"),
    ("reconcile", "aws-prod", "--from"),
    ("traffic", "import"),
    ("prices", "import-apis"),
    ("chargeback", "aws-prod", "--from"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_file_that_is_nested_without_end_is_one_message(
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in {**DEEP, **FIELD}.items():
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        assert exit_code(monkeypatch, *command, str(file)) == 1
        told = capsys.readouterr().err
        assert told.startswith("error: "), told
        assert "Traceback" not in told
        assert len(told) < 2_000
