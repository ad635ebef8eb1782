"""What the estimate tells the gateway: prices of tokens, and pods at its busiest minute."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFigures:
    """USD per 1M tokens, and the pods that the load asks for.

    Attributes:
        own: Of the own replicas, input and output alike: what they cost over the tokens that they
            serve.
        api_input: Of the API's input.
        api_cached_input: Of input that the API finds in its cache.
        api_output: Of the API's output.
        most_pods: Pods of a gateway that the busiest minute of the week asks for; 0 for not known.
    """

    own: Decimal
    api_input: Decimal
    api_cached_input: Decimal
    api_output: Decimal
    most_pods: int = 0

    @classmethod
    def none(cls) -> GatewayFigures:
        """Returns prices of nothing, for whoever registers a stack and reads no price from it."""
        zero = Decimal(0)
        return cls(own=zero, api_input=zero, api_cached_input=zero, api_output=zero)
