"""What a killed process or a full disk leaves is never taken for whole; the next run goes on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from breakeven.settings.files import ROOT


def test_nothing_half_done_is_taken_for_whole_at_any_point(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.unit.bundle.dying", str(tmp_path)]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    ended = dict(re.findall(r"^(\w+: [a-z ]+?) (\d+) times$", result.stdout, re.MULTILINE))
    assert len(ended) == 6, result.stdout
    # Early enough that some were stopped midway, each in its own way.
    assert all(int(times) >= 3 for name, times in ended.items() if "killed" in name), ended
    assert all(int(times) >= 1 for name, times in ended.items() if "room" in name), ended
