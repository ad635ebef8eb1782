"""The table of what the rules caught."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_CAUGHT = "hardening fields caught"


@pytest.fixture
def caught(record_property: Callable[[str, object], None]) -> Callable[[str, int, int], None]:
    """Takes a stack, how many mutations were found, and how many there were."""

    def keep(stack: str, found: int, made: int) -> None:
        record_property(_CAUGHT, (stack, found, made))

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints it; the reports also come from other processes."""
    rows = sorted(
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == _CAUGHT
    )
    if not rows:
        return
    terminalreporter.section("hardening fields taken away, and found by a rule")
    for stack, found, made in rows:
        terminalreporter.write_line(f"{stack:<14} {found} of {made}")
    found, made = (sum(row[column] for row in rows) for column in (1, 2))
    terminalreporter.write_line(f"all            {found} of {made}: {found / made:.1%}")
