"""The gateway of mode hybrid: own replicas first, what they can't take goes to an API."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from breakeven.addresses import is_of_a_machine
from breakeven.settings.fields import (
    Boolean,
    Conflict,
    Entries,
    Form,
    Group,
    ImageReference,
    Integer,
    List,
    ObjectName,
    OptionalNumber,
    matching,
    refuse,
)

_ADDRESS = r"https://[a-z0-9.-]+(:443)?(/[\w./-]*[\w])?"
_TEAM = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


def _api_address(text: str) -> str:
    if re.fullmatch(_ADDRESS, text, re.ASCII) is None:
        raise ValueError(text)
    if not _is_on_the_internet(text):
        refuse(
            f'found "{text}", which is not an address of the internet',
            "Allowed: a host there; the network rules let the gateway reach no private address",
        )
    return text


def _is_on_the_internet(url: str) -> bool:
    """Tells it of an address in numbers; of a name nothing is known, except of localhost."""
    host = urlsplit(url).hostname or ""
    if not re.search(r"(^|\.)[0-9][0-9a-fx]*$", host):
        return host != "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global and is_of_a_machine(address)


class TeamSettings(Group):
    """Who may call the gateway, and up to where; None where there is no limit."""

    tokens_per_day: Integer | None = Field(
        default=None, ge=1, le=2**32 - 1, description="Tokens per day that the team may use"
    )
    usd_per_month: OptionalNumber = Field(
        default=None, gt=0, le=Decimal("1e9"), description="USD per month that the team may spend"
    )
    requests_per_minute: Integer | None = Field(
        default=None, ge=1, le=10**6, description="Requests per minute that the team may send"
    )
    max_output_tokens: Integer | None = Field(
        default=None,
        ge=1,
        le=10**6,
        description="Longest answer in tokens that a request may ask for, and what one that names "
        "none gets",
    )
    data_may_leave: Boolean = Field(
        default=True, description="Whether the team's requests may go to the API"
    )


def _sorted(teams: Mapping[str, TeamSettings]) -> Mapping[str, TeamSettings]:
    return dict(sorted(teams.items()))


_TeamName = Annotated[
    str,
    matching(
        _TEAM,
        "names of lower-case letters, digits and hyphens, at most 63: a Secret has the team's key "
        "by that name",
    ),
]


class OverflowSettings(Group):
    """The API behind the gateway, and when requests go there. `address` may be empty."""

    key_secret: ObjectName = Field(
        default="overflow-api",
        description='Mode hybrid: name of an existing Secret with key "api-key", the '
        "gateway's key of api.inUse",
    )
    address: Annotated[
        str,
        Form(
            _api_address,
            allowed="https://HOST/PATH on port 443, up to /v1 and without a slash at the end",
            pattern=_ADDRESS,
            empty="",
        ),
    ] = Field(
        default="",
        description="Mode hybrid: https address of api.inUse in OpenAI's form, up to /v1; "
        "empty for the provider's own, where it is known",
    )
    requests_per_replica: Integer = Field(
        default=64,
        ge=1,
        le=4096,
        description="Mode hybrid: requests in flight per ready replica from which on further "
        "ones go to the API; replicas.targetRequests or more",
    )
    paths: Annotated[
        tuple[
            Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"], ...
        ],
        List,
    ] = Field(
        default=("/v1/chat/completions",),
        description="Mode hybrid: paths that the API serves; requests to others stay with own "
        "replicas",
    )
    timeout_seconds: Integer = Field(
        default=120,
        ge=1,
        le=3600,
        description="Mode hybrid: seconds after which a silent API counts as failed",
    )


class GatewaySettings(Group):
    """The gateway."""

    mode: Literal["self-host", "hybrid"] = Field(
        default="self-host",
        description="self-host (clients call the model) or hybrid (clients call a gateway: "
        "own replicas first, what they can't take goes to api.inUse)",
    )
    teams: Annotated[Mapping[_TeamName, TeamSettings], Entries, AfterValidator(_sorted)] = Field(
        default={},
        description="Mode hybrid: who may call. Each name has any of traffic.tokensPerDay, "
        "usdPerMonth and network.dataMayLeave; what is left out has no limit. Its"
        " key is in gateway.teamKeysSecret",
    )
    team_keys_secret: ObjectName = Field(
        default="team-keys",
        description="Mode hybrid: name of an existing Secret with one key for each team, by "
        "its name",
    )
    overflow: OverflowSettings = Field(
        default=OverflowSettings(),
        description="Mode hybrid: the API that takes what the replicas can't",
    )
    replicas: Integer = Field(
        default=2,
        ge=2,
        le=50,
        description="Mode hybrid: pods of the gateway, 2 or more",
    )
    max_answers: Integer = Field(
        default=4,
        ge=1,
        le=128,
        description="Mode hybrid: most answers to one request (its n), each of which is paid",
    )
    max_body_megabytes: Integer = Field(
        default=8,
        ge=1,
        le=64,
        description="Mode hybrid: largest request in MiB; the gateway holds all that are under way "
        "in memory",
    )
    image: ImageReference = Field(
        default="docker.io/envoyproxy/envoy:distroless-v1.39.2@sha256:dced08cf7c472e1a1d067f906878266078eeeb63c110b4961882c039a622853a",
        description="Mode hybrid: Envoy image with version tag and digest; tests/gateway runs "
        "1.39.1, of the same source",
    )
    limits_image: ImageReference = Field(
        default="docker.io/envoyproxy/ratelimit:1e50889b@sha256:5bb3741fd6709bab1d498eae1a5807faa2113b712dfb236fb76c04a00871ffc9",
        description="Mode hybrid: image of Envoy's rate limit service with version tag and digest; "
        "it asks the store whether a team has used up a limit",
    )
    store_image: ImageReference = Field(
        default="docker.io/valkey/valkey:9.1.2@sha256:418652cfb58ef879d4978c33553735d7147016032d5aefaa14c828e611eb9dfd",
        description="Mode hybrid: Valkey image with version tag and digest; it counts what "
        "teams have used",
    )

    @property
    def is_hybrid(self) -> bool:
        """Whether clients call the gateway, and not the model."""
        return self.mode == "hybrid"

    @property
    def has_affinity(self) -> bool:
        """Whether requests that begin alike go to the same replica, whose prefix cache has that."""
        return self.is_hybrid

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what the gateway lacks."""
        if self.is_hybrid and not self.teams:
            yield Conflict(
                "gateway.teams",
                "nobody",
                "Needed with mode hybrid: a name for each team, such as chat: {}",
                ("gateway.mode",),
            )
