"""One unit price, with where it is from and when it was true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from components.cost.near import suggestion

Confidence: TypeAlias = Literal["list", "measured", "estimate", "user"]
"""How far a figure can be trusted: a price list, a measurement, an estimate, the user's own."""


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
    """

    identifier: str
    usd: Decimal
    unit: str
    source: str
    as_of: date
    confidence: Confidence

    def __post_init__(self) -> None:
        """Refuses what no price can be.

        Raises:
            ValueError: The amount is negative or no number.
        """
        if not self.usd.is_finite() or self.usd < 0:
            msg = f"{self.identifier}: {self.usd} USD; a price is 0 or more"
            raise ValueError(msg)


class PriceMissingError(LookupError):
    """The price book has no such price, and none is guessed.

    Attributes:
        identifier: What was asked for.
        near: Identifiers that resemble it.
    """

    def __init__(self, identifier: str, near: tuple[str, ...]) -> None:
        self.identifier = identifier
        self.near = near
        super().__init__(f'no price for "{identifier}"{suggestion(near)}')
