"""Requests that the stack's own model answers not well enough, and an API answers again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.apis.prices import ApiPrice


@dataclass(frozen=True, slots=True)
class Escalation:
    """What it costs to have answers replaced.

    Attributes:
        share: Requests that are answered again, 0 to 1.
        api: By which API, at the price of such a request.
    """

    share: Decimal
    api: ApiPrice

    @property
    def usd_per_request(self) -> Decimal:
        """USD over all requests, those that are not answered again included."""
        return self.share * self.api.usd_per_request
