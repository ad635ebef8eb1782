"""Every test that the page of findings names exists, and every finding of the review has one."""

from __future__ import annotations

import re

from breakeven.settings.files import ROOT

PAGE = ROOT / "docs" / "security-findings.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FINDINGS = {"C1", "C2", "H1", "H2", "H3", "H4", "M1", "M2", "M3", "M5"} | {
    f"L{number}" for number in range(1, 8)
}


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file()
        or not re.search(rf"^ *def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_every_finding_of_the_review_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if NAMED.search(line)]
    found = {match[1] for line in rows if (match := re.match(r"\| ([CHML]\d) ", line))}
    assert found == FINDINGS


def test_what_was_found_and_fixed_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "**found**" in line]
    assert len(rows) > 10
    assert all(NAMED.search(row) for row in rows)
