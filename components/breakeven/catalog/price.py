"""One unit price, with where it is from and when it was true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

from breakeven.suggestions import near_names, suggestion

Confidence: TypeAlias = Literal["list", "measured", "estimate", "user"]
"""How far a figure can be trusted: a price list, a measurement, an estimate, the user's own."""

PRIVATE = "private"
"""Stands in a report for the unit price and the source of a price that is not to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A dated, sourced unit price.

    Attributes:
        identifier: What is bought, such as "node/aws/us-east-1/g6e.xlarge/on-demand".
        usd: US dollars for one unit, 0 or more.
        unit: "node-hour", "GB-month", "month", "GB", "kWh" or "unit-month".
        source: Where the figure is from.
        as_of: Day on which the source had it.
        confidence: How far it can be trusted.
        private: Whether reports show `PRIVATE` instead of `usd` and `source`. Totals include it.
        terms: Terms on which the figure may be shown, such as "MIT"; empty if none are known.
        stands_in_for: Region that was asked for, if it has no such price and this one of another
            region stands in; empty for a price of the region itself.
    """

    identifier: str
    usd: Decimal
    unit: str
    source: str
    as_of: date
    confidence: Confidence
    private: bool = False
    terms: str = ""
    stands_in_for: str = ""

    def __post_init__(self) -> None:
        """Refuses what no price can be.

        Raises:
            ValueError: The amount is negative or no number.
        """
        if not self.usd.is_finite() or self.usd < 0:
            msg = f"{self.identifier}: {self.usd} USD; a price is 0 or more"
            raise ValueError(msg)

    @property
    def shown_source(self) -> str:
        """The source as a report may show it."""
        return PRIVATE if self.private else self.full_source

    @property
    def full_source(self) -> str:
        """The source, and whose price it is where that of another region stands in."""
        if not self.stands_in_for:
            return self.source
        lender = self.identifier.split("/")[2]
        return f"{self.source}; price of {lender}, none is known for {self.stands_in_for}"


def committed(price: Price, percent: Decimal, years: int) -> Price:
    """Returns a price under the user's commitment.

    Providers publish no discount per machine type that could be read offline, so the discount is
    the user's own figure. What is committed to is paid whether it runs or not: bill all hours.

    Args:
        price: The price without commitment.
        percent: Discount, 0 or more and below 100.
        years: Term, 1 to 10.

    Raises:
        ValueError: The discount or the term is not one of these, or the price is a spot price,
            which no commitment covers.
    """
    if not percent.is_finite() or not 0 <= percent < 100:  # noqa: PLR2004  # percent
        msg = f"commitment discount of {percent}%; allowed: 0 or more, below 100"
        raise ValueError(msg)
    if not 1 <= years <= 10:  # noqa: PLR2004  # no provider offers more
        msg = f"commitment of {years} years; allowed: 1 to 10"
        raise ValueError(msg)
    if price.identifier.endswith("/spot"):
        msg = f"{price.identifier}: no commitment covers a spot price"
        raise ValueError(msg)
    term = f"{years} year" if years == 1 else f"{years} years"
    return replace(
        price,
        usd=price.usd * (100 - percent) / 100,
        source=f"{price.source}, less {percent.normalize():f}% for your commitment of {term}",
        confidence="user",
    )


def split_private(text: str) -> tuple[str, bool]:
    """Splits a stated price such as "1.25 private" into its amount and whether it is private."""
    amount, _, mark = text.strip().partition(" ")
    return (amount, True) if mark.strip() == PRIVATE else (text.strip(), False)


class PriceMissingError(LookupError):
    """The price book has no such price, and none is guessed.

    Attributes:
        identifier: What was asked for.
    """

    def __init__(self, identifier: str, known: Iterable[str]) -> None:
        self.identifier = identifier
        self._known = known
        super().__init__(identifier)

    @cached_property
    def near(self) -> tuple[str, ...]:
        """Identifiers that resemble it; sought when asked for, because that takes milliseconds."""
        return near_names(self.identifier, self._known)

    def __str__(self) -> str:
        """Says what is missing, and what resembles it."""
        return f'no price for "{self.identifier}"{suggestion(self.near)}'
