"""The files that CONTRIBUTING.md tells people to edit exist."""

from __future__ import annotations

import re

from breakeven.settings.files import ROOT
from tests.each import each

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TASKS = TEXT[TEXT.index("## What to touch") :]
PACKAGE = ROOT / "components" / "breakeven"
OWN = re.compile(r"my[_-]|CONCERN|CLOUD|X\.Y\.Z")  # names that the reader chooses


def paths() -> list[str]:
    """What stands in the first two columns of a table and is a path."""
    cells = [
        cell for line in TASKS.splitlines() if line.startswith("|") for cell in line.split("|")
    ]
    named = {path for cell in cells for path in re.findall(r"`([\w./-]+)`", cell)}
    return sorted(path for path in named if "/" in path or path.endswith((".md", ".toml")))


@each("path", paths())
def test_every_named_file_exists_and_every_new_one_has_a_folder(path: str) -> None:
    known = path.rpartition("/")[0] if OWN.search(path) else path
    assert (PACKAGE / known).exists() or (ROOT / known).exists()


def test_every_task_says_what_does_not_belong() -> None:
    for task in TASKS.split("\n### ")[1:]:
        assert "Does not belong:" in task, task.partition("\n")[0]
