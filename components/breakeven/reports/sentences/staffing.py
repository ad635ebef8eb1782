"""What is said about the stated share of an engineer."""

from __future__ import annotations

from breakeven.cost.staffing_guidance import StaffingGuidance
from breakeven.reports.formatting import counted, usd


def staffing_sentence(guidance: StaffingGuidance) -> str:
    """Says how the stated share compares with what this project assumes for such a fleet."""
    fleet = counted(guidance.nodes, "CPU node" if guidance.on_cpus else "GPU node")
    if guidance.models > 1:
        fleet += f" and {guidance.models} models"
    low, high = (usd(share * guidance.monthly_salary) for share in (guidance.low, guidance.high))
    return (
        f"Staffing: staffing.engineerPercent states {guidance.stated:.0%} of an engineer, "
        f"{guidance.outside} the {guidance.low:.0%} to {guidance.high:.0%} ({low} to {high}/month) "
        f"that this project assumes for up to {fleet} (docs/money.md has the assumptions)."
    )
