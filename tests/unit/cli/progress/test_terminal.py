"""Names and messages of others do nothing to the terminal that shows them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from breakeven.printable import all_printable, printable

HOSTILE = "x\x1b[2J\x1b]0;owned\x07\x1b[1A\x1b[8mhidden\x9b2J\u202e\rsafe"
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(*arguments: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", "from breakeven.cli.start import main; main()", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    )
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65_536):
            written += block
    except OSError:  # as Linux tells that nobody writes any more
        pass
    os.close(ours)
    child.wait(timeout=60)
    return written.decode().replace("\r\n", "\n")


def test_names_in_manifests_do_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": HOSTILE},
                "spec": {"containers": [{"name": HOSTILE, "image": HOSTILE}]},
            }
        )
    )
    written = on_a_terminal("check", str(tmp_path))
    assert "\\x1b[2J\\x1b]0;owned\\x07" in written
    assert not set("\x1b\x07\x9b\u202e\r") & set(COLOR.sub("", written))
    assert "\x1b[8m" not in written


def test_a_name_of_a_file_in_an_error_does_nothing(tmp_path: Path) -> None:
    written = on_a_terminal("check", str(tmp_path / HOSTILE))
    assert "\\x1b[2J" in written
    assert not set("\x1b\x07\x9b\u202e\r") & set(COLOR.sub("", written))


def test_help_keeps_its_colors() -> None:
    written = on_a_terminal("check", "--help")
    assert COLOR.search(written)
    assert "\\x1b" not in written


@given(st.text())
def test_what_is_printable_stays_as_it_is_for_good(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    assert re.fullmatch(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*", once)


def test_every_text_of_an_answer_is_printable() -> None:
    answer = {HOSTILE: [{"a": HOSTILE}, 1, None, True]}
    assert all_printable(answer) == {printable(HOSTILE): [{"a": printable(HOSTILE)}, 1, None, True]}
