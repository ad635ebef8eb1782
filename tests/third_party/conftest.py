"""What every stack renders, and what the checkers of others find in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from breakeven.settings.files import stack_names
from tests.third_party.checkers import Finding, checkov, kube_score
from tests.third_party.exceptions import exceptions
from tests.third_party.rendering import render


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("rendered")
    return {stack: render(stack, folder) for stack in stack_names()}


@pytest.fixture(scope="session")
def found(rendered: Mapping[str, Path]) -> Mapping[str, list[Finding]]:
    """Findings of checkov and kube-score by stack."""
    if shutil.which("kube-score") is None:
        pytest.fail("kube-score is not on PATH; `make check-third-party` builds it and runs this")
    return {stack: sorted([*checkov(path), *kube_score(path)]) for stack, path in rendered.items()}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what is not as others want, with the reason."""
    terminalreporter.section("exceptions, with their reasons")
    for one in exceptions():
        terminalreporter.write_line(f"{one.checker} {one.check}: {', '.join(one.objects)}")
        terminalreporter.write_line(f"    {one.reason}")
