"""Rules of the pack as plain functions, so that tests call them without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal


def over_budget(figures: Mapping[str, object]) -> str | None:
    """Returns a message with the amount over budget; None if within budget or without one.

    Args:
        figures: Inputs of the resource `breakeven:cost:Estimate`, money as decimal strings.
    """
    budget, own = figures.get("budgetPerMonth"), figures.get("selfHosted")
    if budget is None or not isinstance(own, Mapping):
        return None
    limit, total = Decimal(str(budget)), Decimal(str(own["total"]))
    candidates = figures.get("candidates")
    if isinstance(candidates, Sequence):  # paid as long as they are on trial
        total += sum((Decimal(str(each["monthly"])) for each in candidates), Decimal(0))
    if total <= limit:
        return None
    return (
        f"the stack costs ${total:,.2f}/month, ${total - limit:,.2f} over its budget of "
        f"${limit:,.2f}. Reduce its "
        "cost, or raise breakeven:budgetPerMonth."
    )


def not_priced(figures: Mapping[str, object]) -> str | None:
    """Returns a message with the resources that an estimate omits, if there are any."""
    own = figures.get("selfHosted")
    missing = own.get("notPriced") if isinstance(own, Mapping) else None
    if not isinstance(missing, Sequence) or not missing:
        return None
    names = ", ".join(str(item["name"]) for item in missing)
    return (
        f"not in the total because no price is known: {names}. Set their prices in "
        "pricing.overrides."
    )
