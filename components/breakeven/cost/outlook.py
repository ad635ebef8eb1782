"""Beyond one month: what is paid once, and what own hosting and an API cost over some years."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_LONGEST_MONTHS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a stack states about the years to come.

    Attributes:
        one_off: USD paid once, for migration, tuning and evaluation.
        years: Of the comparison; 0 for none.
        api_change: Yearly change of API prices, -1 to 1; below 0 where they fall.
        residual: USD that is left at the end of those years, such as by selling hardware.
    """

    one_off: Decimal = Decimal(0)
    years: int = 0
    api_change: Decimal = Decimal(0)
    residual: Decimal = Decimal(0)

    def own_total(self, monthly: Decimal) -> Decimal:
        """Returns USD over the years of own hosting at that much a month."""
        return self.one_off + monthly * 12 * self.years - self.residual

    def api_total(self, monthly: Decimal) -> Decimal:
        """Returns USD over the years of an API that takes that much a month today."""
        return sum((self._api(monthly, 12 * year) * 12 for year in range(self.years)), Decimal(0))

    def payback_months(self, own_monthly: Decimal, api_monthly: Decimal) -> int | None:
        """Returns the months after which savings have paid the one-off cost; None for never.

        Args:
            own_monthly: USD per month of own hosting.
            api_monthly: USD per month of the API today.
        """
        saved = Decimal(0)
        for month in range(_LONGEST_MONTHS):
            saved += self._api(api_monthly, month) - own_monthly
            if saved >= self.one_off:
                return month + 1
        return None

    def _api(self, monthly: Decimal, month: int) -> Decimal:
        return monthly * (1 + self.api_change) ** (month // 12)


NO_OUTLOOK = Outlook()
"""Of a stack that states nothing about the years to come."""
