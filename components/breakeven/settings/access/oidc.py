"""Tokens of an identity provider (OpenID Connect) by which a gateway knows who calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from breakeven.settings.access.outside import ADDRESS, outside_address
from breakeven.settings.fields import Conflict, Form, Group, OptionalObjectName, Text, matching


def _issuer(text: str) -> str:
    if re.fullmatch(r"https://[^\s/]+(/\S*)?", text, re.ASCII) is None:
        raise ValueError(text)
    return text


class OidcSettings(Group):
    """Tokens of an identity provider by which teams are known."""

    issuer: Annotated[
        str, Form(_issuer, allowed="https://HOST/PATH, as tokens have it in iss", empty="")
    ] = Field(
        default="",
        description="Who signs the tokens of callers (JWT, claim iss), such as "
        "https://login.example.com/realms/ai; empty: teams have keys alone. With it, a key is sent "
        "as x-api-key, and Authorization has a token",
    )
    audience: Text = Field(
        default="", description="Claim aud that a token must have: for whom it was made"
    )
    team_claim: Annotated[
        str, matching(r"[A-Za-z_][\w.:/-]{0,127}", "the name of a claim, such as team or groups")
    ] = Field(
        default="team",
        description="Claim that names the team: a text, or a list that has exactly one team",
    )
    jwks_uri: Annotated[
        str,
        Form(outside_address, allowed="https://HOST/PATH on port 443", pattern=ADDRESS, empty=""),
    ] = Field(
        default="",
        description="Where the provider's public keys (JWKS) are fetched; only where the stack "
        "may reach an API",
    )
    jwks_secret: OptionalObjectName = Field(
        default=None,
        description="Secret with the public keys as jwks.json, for closed networks; new keys need "
        "new pods",
    )

    @property
    def is_on(self) -> bool:
        """Whether callers may have tokens."""
        return bool(self.issuer)

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what is missing beside an issuer, and what has no effect without one."""
        stated = {
            "gateway.oidc.audience": self.audience,
            "gateway.oidc.jwksUri": self.jwks_uri,
            "gateway.oidc.jwksSecret": self.jwks_secret,
        }
        if not self.is_on:
            for key in (key for key, value in stated.items() if value):
                yield Conflict(
                    key,
                    "stated without gateway.oidc.issuer",
                    "Name the issuer, or leave it out",
                    ("gateway.oidc.issuer",),
                )
            return
        if not self.audience:
            yield Conflict(
                "gateway.oidc.audience",
                "empty: a token that was made for any other service would be taken",
                "Needed with gateway.oidc.issuer: the value of aud, such as llm",
                ("gateway.oidc.issuer",),
            )
        if bool(self.jwks_uri) == bool(self.jwks_secret):
            yield Conflict(
                "gateway.oidc.jwksUri",
                "stated beside gateway.oidc.jwksSecret" if self.jwks_uri else "empty",
                "Needed with gateway.oidc.issuer: one of jwksUri and jwksSecret",
                ("gateway.oidc.issuer", "gateway.oidc.jwksSecret"),
            )
