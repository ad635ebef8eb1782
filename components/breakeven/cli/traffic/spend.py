"""The spend in a log, compared with the list prices of the same requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from breakeven.catalog.apis.prices import UnknownApiModelError, api_price
from breakeven.cost.calendar import CALENDAR_MONTH
from breakeven.reports.formatting import usd
from breakeven.traffic.tally import ModelUse, Tally

_PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "bedrock": "aws",
        "vertex_ai": "google",
        "gemini": "google",
        "fireworks_ai": "fireworks",
        "together_ai": "together",
        "xai": "x-ai",
        "azure_ai": "azure",
    }
)
"""Provider names of genai-prices that differ from those of gateways."""

_MAKERS = ("openai", "anthropic", "google", "mistral", "x-ai", "deepseek", "cohere")
"""The provider whose list price is used if a log names none."""

_ROUND = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """The spend in a log.

    Attributes:
        usd: In all of the log.
        days: Its span.
        list_usd: The same requests at list price; None if a model has none.
        compared: The logged spend of requests whose list price is known.
        without_price: Models with unknown list price.
    """

    usd: Decimal
    days: float
    list_usd: Decimal | None
    compared: Decimal
    without_price: tuple[str, ...]

    @property
    def monthly(self) -> Decimal:
        """USD per month at the same traffic."""
        return self._monthly(self.usd)

    def as_text(self) -> list[str]:
        """Returns the comparison in sentences."""
        lines = [
            f"The log states {usd(self.usd)} for {self.days:,.1f} days, {usd(self.monthly)}/month."
        ]
        if self.list_usd:
            share = (self.compared - self.list_usd) * 100 / self.list_usd
            than = "above" if share >= 0 else "below"
            lines.append(
                "At list price, the same requests cost "
                f"{usd(self._monthly(self.list_usd))}/month; the logged spend is "
                f"{abs(share):.1f}% {than} that."
            )
        if self.without_price:
            lines.append(f"Unknown list price: {', '.join(self.without_price)}.")
        return lines

    def as_output(self) -> dict[str, object]:
        """Returns the comparison as JSON values."""
        return {
            "usd": str(self.usd),
            "usdPerMonth": str(self.monthly.quantize(_ROUND)),
            "listUsd": None if self.list_usd is None else str(self.list_usd.quantize(_ROUND)),
            "withoutListPrice": list(self.without_price),
        }

    def _monthly(self, amount: Decimal) -> Decimal:
        return amount / Decimal(str(self.days)) * CALENDAR_MONTH.days_per_month


def spend_of(tally: Tally, days: float, on: datetime) -> Spend | None:
    """Compares the spend in a log with list prices; None if the log has no spend.

    Args:
        tally: Counts and sums.
        days: Span of the log.
        on: Day of the list prices.
    """
    paid = {name: use for name, use in tally.models.items() if use.spend}
    if not paid:
        return None
    listed = {name: _list_price(name, use, on) for name, use in paid.items()}
    known = {name: price for name, price in listed.items() if price is not None}
    without = sorted(listed.keys() - known.keys())
    return Spend(
        usd=sum((use.spend or Decimal(0) for use in paid.values()), Decimal(0)),
        days=days,
        list_usd=sum(known.values(), Decimal(0)) if known else None,
        compared=sum((paid[name].spend or Decimal(0) for name in known), Decimal(0)),
        without_price=tuple(name or "requests without a model" for name in without),
    )


def _list_price(model: str, use: ModelUse, on: datetime) -> Decimal | None:
    """Returns the list price of a model's requests: that of the mean, times their number."""
    if not model or use.requests < 1:
        return None
    for reference in _references(model):
        try:
            price = api_price(
                reference,
                input_tokens=round(use.input_tokens / use.requests),
                output_tokens=round(use.output_tokens / use.requests),
                cached_input_tokens=round(use.cached_tokens / use.requests),
                on=on,
            )
        except (UnknownApiModelError, ValueError):
            continue
        return price.usd_per_request * Decimal(str(use.requests))
    return None


def _references(model: str) -> Iterator[str]:
    provider, slash, name = model.partition("/")
    if slash:
        yield f"{_PROVIDERS.get(provider, provider)}/{name}"
    yield from (f"{maker}/{name if slash else model}" for maker in _MAKERS)
