"""The gateway in front of the model, registered."""

from __future__ import annotations

import pulumi

from breakeven.manifests.gateway.component import gateway_component, gateway_pods
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.resources.component import BreakevenComponent
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings


class Gateway(BreakevenComponent):
    """One address in front of the model: Envoy with our programs, and what counts for limits.

    Made in two steps, because the price of an own token may be known only once everything that
    costs something is registered: the constructor makes all that, `start` the rest, which is free.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        gateway: Its gateway.
        namespace: Namespace to live in.
        opts: Resource options.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        gateway: GatewaySettings,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self._settings, self._gateway = settings, gateway
        component = gateway_component(name, settings, gateway, GatewayFigures.none())
        super().__init__(component, namespace=namespace, opts=opts)

    def start(self, prices: GatewayFigures) -> None:
        """Makes configuration and pods.

        Args:
            prices: What a token costs, here and by API.
        """
        self.start_last(gateway_pods(self._settings, self._gateway, prices))
