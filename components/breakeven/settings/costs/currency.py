"""The currency that reports show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from breakeven.settings.costs.days import Day
from breakeven.settings.fields import Conflict, Form, Group, OptionalNumber

_CODE = r"[A-Z]{3}"


def _code(text: str) -> str:
    if re.fullmatch(_CODE, text, re.ASCII) is None:
        raise ValueError(text)
    return text


class CurrencySettings(Group):
    """The currency that reports show, by a rate of a day. Costs are computed in USD."""

    code: Annotated[
        str, Form(_code, allowed="an ISO 4217 currency code, such as EUR", pattern=_CODE)
    ] = Field(
        default="USD",
        description="Currency of tables, pages, and messages, as an ISO 4217 code; a currency "
        "other than USD needs pricing.currency.rate and pricing.currency.asOf",
    )
    rate: OptionalNumber = Field(
        default=None,
        ge=Decimal("0.000001"),
        le=Decimal("1e6"),
        description="Exchange rate: units of that currency per USD, such as 0.86",
    )
    as_of: Day = Field(default=None, description="Date of that rate, YYYY-MM-DD")

    def stated(self) -> Iterator[Conflict]:
        """Yields a currency without its rate, and a rate without its currency."""
        needs = ("pricing.currency.code",)
        for key, value in (("rate", self.rate), ("asOf", self.as_of)):
            if self.code == "USD" and value is not None:
                yield Conflict(
                    f"pricing.currency.{key}",
                    "stated, but pricing.currency.code is USD",
                    "Name the currency in pricing.currency.code, such as EUR, or leave it out",
                    needs,
                )
            elif self.code != "USD" and value is None:
                yield Conflict(
                    f"pricing.currency.{key}",
                    "not stated",
                    f"Needed with pricing.currency.code {self.code}: the exchange rate per USD "
                    "and its date",
                    needs,
                )
