"""The budget pack, run by the real engine."""

from __future__ import annotations

import shutil

import pytest

from components.project import ROOT
from tests.project_copy import Project

PACK = "policies/cost_budget/run"


@pytest.fixture
def with_pack(project: Project) -> Project:
    """The project with its policy packs."""
    shutil.copytree(ROOT / "policies", project.root / "policies")
    return project


def test_a_preview_over_its_budget_fails_by_policy(with_pack: Project) -> None:
    with_pack.set("dev", budgetPerMonth="1000")
    result = with_pack.preview("dev", "--policy-pack", PACK)

    assert result.returncode != 0
    assert "[mandatory]  cost-within-budget" in result.stdout
    assert "over its budget of $1,000.00" in result.stdout
    assert "Budget: $1,000.00 a month; the total is" in result.stdout


def test_a_preview_within_its_budget_passes(with_pack: Project) -> None:
    with_pack.set("dev", budgetPerMonth="100000")
    result = with_pack.preview("dev", "--policy-pack", PACK)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "the total is within" in result.stdout
    assert "cost-within-budget" not in result.stdout


def test_what_is_not_priced_is_pointed_out_without_failing(with_pack: Project) -> None:
    result = with_pack.preview("article", "--policy-pack", PACK)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "[advisory]  everything-priced" in result.stdout
