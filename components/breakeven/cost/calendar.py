"""One month for everything: machines are paid by the hour, traffic comes by the day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Calendar:
    """How long a month is.

    Attributes:
        hours_per_month: Hours that a machine is paid for.
        days_per_month: Days of traffic.
    """

    hours_per_month: Decimal
    days_per_month: Decimal


CALENDAR_MONTH = Calendar(Decimal(730), Decimal(365) / 12)
"""A twelfth of a year, as cloud price lists use it: 8,760 / 12 hours, 365 / 12 days."""

THIRTY_DAYS = Calendar(Decimal(720), Decimal(30))
"""Thirty days of 24 hours, as many published comparisons use it."""
