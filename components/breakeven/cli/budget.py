"""Whether a stack stays within its budget."""

from __future__ import annotations

from decimal import Decimal

from breakeven.cost.report import Report
from breakeven.errors import OverBudgetError


def check_budget(report: Report, limit: Decimal | None = None) -> None:
    """Ends a command with a separate exit code if a stack is over budget.

    Args:
        report: The stack's.
        limit: USD per month; overrides the stack's pricing.budgetPerMonth.

    Raises:
        OverBudgetError: It does.
    """
    budget = report.assumptions.budget_per_month if limit is None else limit
    if budget is not None and report.total_with_candidate > budget:
        total = report.total_with_candidate
        raise OverBudgetError(report.assumptions.stack, total, budget)
