"""The budget pack's rules: over, within, exactly at, and without a budget."""

from __future__ import annotations

import pytest

from breakeven.planning.offline import estimate_stack
from breakeven.reports.document.writing import as_output
from policies.cost_budget.rules import not_priced, over_budget
from tests.unit.cost.builders import TODAY


def figures(total: str, budget: str | None, *missing: str) -> dict[str, object]:
    return {
        "budgetPerMonth": budget,
        "selfHosted": {"total": total, "notPriced": [{"name": name} for name in missing]},
    }


@pytest.mark.parametrize("total", ["5000.00", "4999.99", "0"])
def test_a_total_up_to_the_budget_passes(total: str) -> None:
    assert over_budget(figures(total, "5000.00")) is None


def test_a_cent_over_the_budget_fails_and_says_by_how_much() -> None:
    found = over_budget(figures("5000.01", "5000.00"))
    assert found is not None
    assert "$0.01 over its budget of $5,000.00" in found
    assert "breakeven:budgetPerMonth" in found


def test_without_a_budget_nothing_fails() -> None:
    assert over_budget(figures("1e9", None)) is None


def test_what_is_not_priced_is_named() -> None:
    found = not_priced(figures("1", None, "weights", "queue"))
    assert found is not None
    assert "weights, queue" in found
    assert not_priced(figures("1", None)) is None


def test_the_rules_read_the_figures_that_an_estimate_has() -> None:
    output = as_output(estimate_stack("article", TODAY))
    assert over_budget({**output, "budgetPerMonth": "8174.99"}) is not None
    assert over_budget({**output, "budgetPerMonth": "8175.00"}) is None
    assert "model-weights" in str(not_priced(output))
