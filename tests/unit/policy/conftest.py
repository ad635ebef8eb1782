"""The table of what the rules caught."""

from __future__ import annotations

import pytest

_caught: dict[str, tuple[int, int]] = {}


@pytest.fixture
def caught() -> dict[str, tuple[int, int]]:
    """By stack: how many mutations were found, and how many there were."""
    return _caught


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints it."""
    if not _caught:
        return
    found, made = (sum(column) for column in zip(*_caught.values(), strict=True))
    share = f"{found / made:.1%}"
    terminalreporter.section("hardening fields taken away, and found by a rule")
    for stack, (one_found, one_made) in sorted(_caught.items()):
        terminalreporter.write_line(f"{stack:<14} {one_found} of {one_made}")
    terminalreporter.write_line(f"all            {found} of {made}: {share}")
