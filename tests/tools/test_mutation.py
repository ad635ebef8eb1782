"""What `make mutation` changes and runs is where it says."""

from __future__ import annotations

import re

from breakeven.settings.files import ROOT
from mutation.__main__ import MODULES


def test_every_module_and_its_tests_exist() -> None:
    for source, tests in MODULES.values():
        assert (ROOT / "components" / "breakeven" / f"{source}.py").is_file(), source
        for test in tests.split():
            assert (ROOT / "tests" / "unit" / f"{test}.py").is_file(), test


def test_the_table_in_contributing_names_every_module() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(.+?)` \| \d+ of \d+", text, flags=re.MULTILINE)
    assert sorted(named) == sorted(source for source, _ in MODULES.values())
