"""The commands of docs/air-gap.md work in a script, where a shell does not expand aliases."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.first_time_commands import PAGE, shell_function

STAND_IN = '#!/bin/sh\necho "$@"\n'


@pytest.mark.parametrize("shell", ["sh", "bash"])  # only some shells expand aliases in scripts
def test_its_breakeven_commands_reach_the_bootstrap_from_a_script(
    tmp_path: Path, shell: str
) -> None:
    python = tmp_path / "python3"
    python.write_text(STAND_IN, encoding="utf-8")
    python.chmod(0o755)
    text = PAGE.read_text(encoding="utf-8")
    commands = [
        command
        for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for command in re.findall(r"^(breakeven (?:.*\\\n)*.*)$", block, re.MULTILINE)
    ]
    assert len(commands) >= 6
    ran = subprocess.run(
        [shell, "-eu"],
        input="\n".join([shell_function(), *commands]),
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    reached = ran.stdout.splitlines()
    assert len(reached) == len(commands)
    assert all(line.startswith("tools/bootstrap run breakeven ") for line in reached)
