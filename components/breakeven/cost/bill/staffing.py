"""What the people cost who keep the system healthy."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """Work that a self-hosted system takes and an API does not.

    Attributes:
        engineer_salary: USD a year for a senior engineer, employer's costs included.
        engineer_share: Share of that engineer's time, 0 or more (1.5 is one and a half engineers).
        on_call_per_month: USD per month of on-call pay.
        contingency_share: Reserve over machines and people, 0 to 1.
    """

    engineer_salary: Decimal
    engineer_share: Decimal
    on_call_per_month: Decimal
    contingency_share: Decimal
