"""By what requests from outside the cluster come to a gateway, beside a load balancer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from breakeven.settings.fields import SUBDOMAIN, Conflict, Group, OptionalObjectName, matching


class RouteSettings(Group):
    """An Ingress or an HTTPRoute in front of the gateway."""

    kind: Literal["none", "ingress", "http-route"] = Field(
        default="none",
        description="none, ingress (an Ingress controller is installed) or http-route (a Gateway "
        "of the Gateway API is there); the controller's namespace belongs in "
        "network.clientNamespaces",
    )
    ingress_class: OptionalObjectName = Field(
        default=None, description="Class of the Ingress; empty for the cluster's default"
    )
    gateway: Annotated[
        str,
        matching(
            rf"{SUBDOMAIN}/{SUBDOMAIN}", "NAMESPACE/NAME of a Gateway, such as edge/web", empty=""
        ),
    ] = Field(
        default="",
        description="Kind http-route: NAMESPACE/NAME of the Gateway that ends TLS for "
        "gateway.hostname",
    )

    def lacks(self, *, hostname: str, has_certificate: bool) -> Iterator[Conflict]:
        """Yields what a route lacks.

        Args:
            hostname: By which clients call.
            has_certificate: Whether the gateway has one.
        """
        if self.kind == "none":
            return
        kind = f"gateway.route.kind {self.kind}"
        if not hostname:
            yield Conflict(
                "gateway.hostname",
                "empty",
                f"Needed with {kind}: the name by which clients call",
                ("gateway.route.kind",),
            )
        if self.kind == "ingress" and not has_certificate:
            yield Conflict(
                "gateway.tls.secret",
                "empty",
                f"Needed with {kind}: prompts and keys would come in by plain HTTP",
                ("gateway.route.kind",),
            )
        if self.kind == "http-route" and has_certificate:
            yield Conflict(
                "gateway.tls.secret",
                f"stated with {kind}: a Gateway asks what is behind it by plain HTTP",
                "Leave it out: the Gateway has the certificate for gateway.hostname",
                ("gateway.route.kind",),
            )
        if self.kind == "http-route" and not self.gateway:
            yield Conflict(
                "gateway.route.gateway",
                "empty",
                f"Needed with {kind}: NAMESPACE/NAME of the Gateway",
                ("gateway.route.kind",),
            )
