"""What the estimate tells the gateway: prices of tokens, and pods at its busiest minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """USD per 1M tokens of one model.

    Attributes:
        own: Of its own replicas, input and output alike: what they cost over the tokens that they
            serve.
        api_input: Of input of the API that stands in for it.
        api_cached_input: Of input that the API finds in its cache.
        api_output: Of the API's output.
    """

    own: Decimal = Decimal(0)
    api_input: Decimal = Decimal(0)
    api_cached_input: Decimal = Decimal(0)
    api_output: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFigures:
    """What tokens cost, and the pods that the load asks for.

    Attributes:
        models: Prices by name of the model.
        most_pods: Pods of a gateway that the busiest minute of the week asks for; 0 for not known.
    """

    models: Mapping[str, TokenPrices]
    most_pods: int = 0

    @classmethod
    def none(cls) -> GatewayFigures:
        """Returns prices of nothing, for whoever registers a stack and reads no price from it."""
        return cls(models={})

    def of(self, model: str) -> TokenPrices:
        """Returns the prices of a model; of nothing where nobody knows them."""
        return self.models.get(model) or TokenPrices()
