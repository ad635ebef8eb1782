"""Tokens of an identity provider: how Envoy checks them, and where it gets the keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from breakeven.manifests.gateway.labels import JWKS_FOLDER
from breakeven.manifests.gateway.routes import MODELS, PATHS
from breakeven.manifests.gateway.typed import exactly, extension
from breakeven.settings.gateway import GatewaySettings

CLAIMS = "claims"
"""Metadata key of a token's claims for gateway.lua."""
JWKS = "jwks"
"""Cluster for the provider's keys."""


def token_check(gateway: GatewaySettings) -> list[dict[str, Any]]:
    """Returns the filter that checks tokens; None if callers only have keys.

    A request without a token passes: gateway.lua then requires a key. A request with an invalid
    token ends here, before its body is read.

    Args:
        gateway: The stack's gateway.
    """
    oidc = gateway.oidc
    if not oidc.is_on:
        return []
    provider = {
        "issuer": oidc.issuer,
        "audiences": [oidc.audience],
        "require_expiration": True,
        "clock_skew_seconds": 60,
        # The only place: by default a token in the address counts, too, and addresses are logged.
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": CLAIMS,
        **_keys(gateway),
    }
    either = {"requirements": [{"provider_name": "oidc"}, {"allow_missing": {}}]}
    check = extension(
        "envoy.filters.http.jwt_authn",
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"oidc": provider},
        rules=[
            {"match": {"path": path}, "requires": {"requires_any": either}}
            for path in (*PATHS, MODELS)
        ],
    )
    return [check]


def keys_route(gateway: GatewaySettings) -> list[dict[str, Any]]:
    """Returns the route through which pods without a way out fetch the keys; None if not needed."""
    if not gateway.oidc.jwks_uri:
        return []
    parts = urlsplit(gateway.oidc.jwks_uri)
    headers = [exactly(":method", "GET"), exactly(":authority", parts.hostname or "")]
    return [
        {
            "match": {"path": parts.path or "/", "headers": headers},
            "route": {"cluster": JWKS, "timeout": "5s"},
        }
    ]


def _keys(gateway: GatewaySettings) -> dict[str, Any]:
    if gateway.oidc.jwks_secret is not None:
        return {"local_jwks": {"filename": f"{JWKS_FOLDER}/jwks.json"}}
    return {
        "remote_jwks": {
            "http_uri": {"uri": gateway.oidc.jwks_uri, "cluster": JWKS, "timeout": "5s"},
            "cache_duration": "600s",
            # In the background, so that requests do not wait for the provider.
            "async_fetch": {},
        }
    }
