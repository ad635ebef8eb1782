"""The budget pack, run by the real engine."""

from __future__ import annotations

from tests.project_copy import Project

PACK = "policies/cost_budget/run"


def test_a_preview_over_its_budget_fails_by_policy(with_packs: Project) -> None:
    with_packs.set("dev", budgetPerMonth="1000")
    result = with_packs.preview("dev", "--policy-pack", PACK)

    assert result.returncode != 0
    assert "[mandatory]  cost-within-budget" in result.stdout
    assert "over its budget of $1,000.00" in result.stdout
    assert "Budget: $1,000.00 a month; the total is" in result.stdout


def test_within_its_budget_a_preview_passes_and_points_out_what_is_not_priced(
    with_packs: Project,
) -> None:
    with_packs.set("article", budgetPerMonth="100000")
    result = with_packs.preview("article", "--policy-pack", PACK)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "the total is within" in result.stdout
    assert "cost-within-budget" not in result.stdout
    assert "[advisory]  everything-priced" in result.stdout
