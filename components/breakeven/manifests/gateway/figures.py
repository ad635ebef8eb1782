"""Figures of the estimate for the gateway: token prices, and pods in the busiest minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """USD per 1M tokens of one model.

    Attributes:
        own: Of own replicas, for input and output: their cost divided by the tokens that they
            serve.
        api_input: Of input, at the API that replaces it.
        api_cached_input: Of input that the API finds in its cache.
        api_output: Of the API's output.
    """

    own: Decimal = Decimal(0)
    api_input: Decimal = Decimal(0)
    api_cached_input: Decimal = Decimal(0)
    api_output: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFigures:
    """Token prices, and the pods that the load needs.

    Attributes:
        models: Prices by name of the model.
        most_pods: Gateway pods that the busiest minute of the week needs; 0 if unknown.
    """

    models: Mapping[str, TokenPrices]
    most_pods: int = 0

    @classmethod
    def none(cls) -> GatewayFigures:
        """Returns zero prices, for callers that register a stack without reading prices."""
        return cls(models={})

    def of(self, model: str) -> TokenPrices:
        """Returns the prices of a model; zero if they are unknown."""
        return self.models.get(model) or TokenPrices()
