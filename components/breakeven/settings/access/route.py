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

    ca_config_map: OptionalObjectName = Field(
        default=None,
        description="Kind http-route with gateway.tls.secret: ConfigMap in the stack's namespace "
        "with the authority's ca.crt, by which the Gateway checks the certificate behind it, which "
        "must be valid for gateway.NAMESPACE.svc",
    )

    def lacks(self, *, hostname: str, has_certificate: bool) -> Iterator[Conflict]:
        """Yields what a route lacks.

        Args:
            hostname: By which clients call.
            has_certificate: Whether the gateway has one.
        """
        behind_tls = self.kind == "http-route" and has_certificate
        if self.ca_config_map is not None and not behind_tls:
            yield Conflict(
                "gateway.route.caConfigMap",
                "has no effect",
                "Allowed with gateway.route.kind http-route and gateway.tls.secret",
                ("gateway.route.kind", "gateway.tls.secret"),
            )
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
        if behind_tls and self.ca_config_map is None:
            yield Conflict(
                "gateway.route.caConfigMap",
                f"empty with {kind} and gateway.tls.secret: the Gateway would ask by plain HTTP",
                "State the ConfigMap with the ca.crt of the certificate's authority, or leave out "
                "gateway.tls.secret",
                ("gateway.route.kind", "gateway.tls.secret"),
            )
        if self.kind == "http-route" and not self.gateway:
            yield Conflict(
                "gateway.route.gateway",
                "empty",
                f"Needed with {kind}: NAMESPACE/NAME of the Gateway",
                ("gateway.route.kind",),
            )
