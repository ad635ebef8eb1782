"""Tokens are checked against everything that makes them safe, or refused as a setting."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.errors import SettingsError
from tests.recording import settings_of

WHOLE: Mapping[str, object] = {
    "gateway.oidc.issuer": "https://login.example.com/realms/ai",
    "gateway.oidc.audience": "llm",
    "gateway.oidc.jwksSecret": "identity-keys",
}


def test_an_issuer_with_audience_and_keys_is_taken() -> None:
    oidc = settings_of("hybrid", **WHOLE).gateway.oidc
    assert (oidc.is_on, oidc.team_claim) == (True, "team")
    assert not settings_of("hybrid").gateway.oidc.is_on


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"gateway.oidc.audience": ""}, "gateway.oidc.audience"),
        ({"gateway.oidc.jwksSecret": ""}, "gateway.oidc.jwksUri"),
        ({"gateway.oidc.jwksUri": "https://login.example.com/certs"}, "gateway.oidc.jwksUri"),
        ({"gateway.oidc.issuer": "http://login.example.com"}, "gateway.oidc.issuer"),
        ({"gateway.oidc.issuer": ""}, "gateway.oidc.audience"),
        ({"gateway.oidc.teamClaim": "a claim"}, "gateway.oidc.teamClaim"),
        (
            {"gateway.oidc.jwksSecret": "", "gateway.oidc.jwksUri": "https://10.0.0.1/certs"},
            "gateway.oidc.jwksUri",
        ),
        (
            {
                "gateway.oidc.jwksSecret": "",
                "gateway.oidc.jwksUri": "https://login.example.com/certs",
                "network.dataMayLeave": False,
            },
            "gateway.oidc.jwksUri",
        ),
    ],
)
def test_what_would_make_tokens_unsafe_is_refused(changed: Mapping[str, object], key: str) -> None:
    with pytest.raises(SettingsError, match=key.replace(".", r"\.")):
        settings_of("hybrid", **{**WHOLE, **changed})
