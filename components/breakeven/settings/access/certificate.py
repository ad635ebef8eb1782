"""The certificates of a gateway: what callers see, and what its own pods see of each other."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from breakeven.settings.fields import Conflict, Group, OptionalObjectName


class CertificateSettings(Group):
    """The gateway's own certificates."""

    secret: OptionalObjectName = Field(
        default=None,
        description="Secret of type kubernetes.io/tls whose certificate the gateway serves: "
        "clients call it by HTTPS, and plain HTTP is refused; empty: plain HTTP. A renewed one is "
        "served without a restart",
    )
    issuer: OptionalObjectName = Field(
        default=None,
        description="ClusterIssuer of cert-manager that fills that Secret; empty where it is there",
    )

    egress_secret: OptionalObjectName = Field(
        default=None,
        description="With separate pods that call the API (gateway.separateInside): Secret of type "
        "kubernetes.io/tls with their certificate for gateway-egress.NAMESPACE.svc and the "
        "authority's ca.crt, so that both sets of pods speak TLS; gateway.tls.issuer fills it; "
        "empty: plain HTTP between them",
    )

    @property
    def is_on(self) -> bool:
        """Whether the gateway speaks TLS."""
        return self.secret is not None

    def conflicts(self) -> Iterator[Conflict]:
        """Yields an issuer that has no Secret to fill."""
        if self.issuer is not None and self.secret is None:
            yield Conflict(
                "gateway.tls.issuer",
                "stated without gateway.tls.secret",
                "Name the Secret that it fills, such as gateway-certificate",
                ("gateway.tls.secret",),
            )
