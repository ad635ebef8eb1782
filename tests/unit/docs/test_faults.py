"""Every row of the table of faults has its test."""

from __future__ import annotations

import re

from breakeven.settings.files import ROOT

NAME = re.compile(r"`(test_\w+)(…?)`")


def test_every_fault_names_tests_that_exist() -> None:
    rows = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    named = NAME.findall(rows)
    assert len(named) > 20
    missing = [
        name
        for name, cut in named
        if not re.search(rf"^def {name}{'' if cut else '[(]'}", tests, re.MULTILINE)
    ]
    assert missing == []
