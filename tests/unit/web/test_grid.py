"""The page as one file holds the answers of its points, and says which they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from breakeven.cli.serve import explorer_of
from breakeven.errors import ExitCode
from breakeven.web import grid
from breakeven.web.grid import interactive_page
from tests.unit.cli.running import exit_code
from tests.unit.cost.builders import TODAY


@pytest.fixture(scope="module")
def html() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_VOLUMES", (Decimal(1), Decimal(40)))
        patch.setattr(grid, "_ENGINEER", ())
        patch.setattr(grid, "_MACHINES", 1)
        return interactive_page(explorer_of("dev", TODAY)).html


def boot(html: str) -> Mapping[str, Any]:
    [text] = re.findall(r'id="boot">(.*?)</script>', html)
    found: Mapping[str, Any] = json.loads(text)
    return found


def test_every_point_has_the_answers_of_the_server(html: str) -> None:
    held = boot(html)["grid"]
    shared = held["shared"]
    assert next(axis["key"] for axis in held["axes"]) == "traffic.tokensPerDay"
    explorer = explorer_of("dev", TODAY)
    for place, tokens in enumerate(("5M", "200M")):
        point = held["points"][",".join([str(place)] + ["0"] * (len(held["axes"]) - 1))]
        whole = explorer.whole({"traffic.tokensPerDay": tokens})
        assert shared[point["whole"]["summary"]] == whole["summary"]
        for name, text in whole["sections"].items():
            assert shared[point["whole"]["sections"][name]] == text
        assert {"bill", "whole", "levers"} == point.keys()


def test_it_says_which_points_it_holds(html: str) -> None:
    assert "This file holds 2 points: Tokens per day (2 values)" in html
    assert "Nothing in between is interpolated" in html


def test_it_loads_nothing_and_runs_only_its_own_script(html: str) -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    policy = unescape(policy)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r'(?:src|href)="(?!data:,|#results)', html)


def test_only_the_html_report_is_interactive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "report", "dev", "--interactive") == ExitCode.ERROR
    assert "Allowed: --format html" in capsys.readouterr().err
