"""The currency that reports show; all arithmetic is in USD."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and its rate on a day.

    Attributes:
        code: Of ISO 4217, such as "EUR".
        per_usd: How much of it one USD is, over 0.
        as_of: Day of the rate; None for USD itself.
    """

    code: str
    per_usd: Decimal
    as_of: date | None

    def of(self, usd: Decimal) -> Decimal:
        """Returns an amount of USD in this currency."""
        return usd * self.per_usd


US_DOLLAR = Currency("USD", Decimal(1), None)
"""What everything is computed in."""
