"""What a token costs, for the gateway's budgets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """USD for a million tokens.

    Attributes:
        own: Of the own replicas, input and output alike: what they cost over the tokens that they
            serve.
        api_input: Of the API's input.
        api_cached_input: Of input that the API finds in its cache.
        api_output: Of the API's output.
    """

    own: Decimal
    api_input: Decimal
    api_cached_input: Decimal
    api_output: Decimal

    @classmethod
    def none(cls) -> TokenPrices:
        """Returns prices of nothing, for whoever registers a stack and reads no price from it."""
        zero = Decimal(0)
        return cls(own=zero, api_input=zero, api_cached_input=zero, api_output=zero)
