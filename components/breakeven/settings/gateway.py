"""The gateway: own replicas first; in mode hybrid what they cannot take goes to an API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from breakeven.settings.access.certificate import CertificateSettings
from breakeven.settings.access.inference_pool import KIND, InferencePoolSettings
from breakeven.settings.access.oidc import OidcSettings
from breakeven.settings.access.outside import ADDRESS, outside_address
from breakeven.settings.access.route import RouteSettings
from breakeven.settings.fields import (
    SUBDOMAIN,
    Boolean,
    Conflict,
    Count,
    Entries,
    Form,
    Group,
    ImageReference,
    Integer,
    List,
    ObjectName,
    OptionalNumber,
    OptionalObjectName,
    matching,
)

_TEAM = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


class TeamSettings(Group):
    """Who may call the gateway, and up to where; None where there is no limit."""

    tokens_per_day: Count | None = Field(
        default=None, ge=1, le=2**32 - 1, description="Tokens per day that the team may use"
    )
    usd_per_month: OptionalNumber = Field(
        default=None, gt=0, le=Decimal("1e9"), description="USD per month that the team may spend"
    )
    requests_per_minute: Integer | None = Field(
        default=None, ge=1, le=10**6, description="Requests per minute that the team may send"
    )
    requests_in_flight: Integer | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Requests that the team may have in flight at one pod of the gateway; where "
        "none is named, as many as all own replicas take: replicas.max times "
        "gateway.overflow.requestsPerReplica",
    )
    max_output_tokens: Count | None = Field(
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


_PATHS = Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"]

_ADDRESS = Form(
    outside_address,
    allowed="https://HOST/PATH on port 443, up to /v1 and without a slash at the end",
    pattern=ADDRESS,
    empty="",
)


class ProviderSettings(Group):
    """A provider of APIs for models whose `api.inUse` is not of the stack's first provider."""

    key_secret: OptionalObjectName = Field(
        default=None,
        description='Name of an existing Secret with key "api-key", the gateway\'s key at this '
        "provider",
    )
    address: Annotated[str, _ADDRESS] = Field(
        default="",
        description="https address of the provider in OpenAI's form, up to /v1; empty for its "
        "own, where it is known",
    )
    paths: Annotated[tuple[_PATHS, ...], List] = Field(
        default=(),
        description="Paths that the provider serves; empty for those of gateway.overflow.paths",
    )


class OverflowSettings(Group):
    """The API behind the gateway, and when requests go there. `address` may be empty."""

    key_secret: ObjectName = Field(
        default="overflow-api",
        description='Mode hybrid: name of an existing Secret with key "api-key", the '
        "gateway's key of api.inUse",
    )
    address: Annotated[str, _ADDRESS] = Field(
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
    paths: Annotated[tuple[_PATHS, ...], List] = Field(
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
    providers: Annotated[
        Mapping[
            Annotated[
                str,
                matching("[a-z0-9]([-a-z0-9]*[a-z0-9])?", "a provider as api.inUse begins with it"),
            ],
            ProviderSettings,
        ],
        Entries,
    ] = Field(
        default={},
        description="Mode hybrid with several models whose api.inUse is of several providers: the "
        "key and address of each one but the first, by its name in api.inUse",
    )


class GatewaySettings(Group):
    """The gateway."""

    kind: Literal["envoy", "inference-pool"] = Field(
        default="envoy",
        description="envoy (the stack's own gateway) or inference-pool (the cluster's inference "
        "gateway calls the replicas: an InferencePool and an HTTPRoute, checked against their "
        "schemas and not tried further; no teams, limits or API)",
    )
    inference_pool: InferencePoolSettings = Field(
        default=InferencePoolSettings(),
        description="Kind inference-pool: who picks the replica",
    )
    mode: Literal["self-host", "hybrid"] = Field(
        default="self-host",
        description="self-host (clients call the model) or hybrid (clients call a gateway: "
        "own replicas first, what they cannot take goes to api.inUse)",
    )
    enabled: Boolean = Field(
        default=False,
        description="Mode self-host: whether clients call a gateway, too: keys and limits by team, "
        "requests that begin alike to the same replica, TLS, a log of who asked; the "
        "preview has what its pods cost. Mode hybrid always has one",
    )
    teams: Annotated[Mapping[_TeamName, TeamSettings], Entries, AfterValidator(_sorted)] = Field(
        default={},
        description="With a gateway: who may call. Each name has any of traffic.tokensPerDay, "
        "usdPerMonth and network.dataMayLeave; what is left out has no limit. Its"
        " key is in gateway.teamKeysSecret",
    )
    team_keys_secret: ObjectName = Field(
        default="team-keys",
        description="With a gateway: name of an existing Secret with one key for each team, by "
        "its name",
    )
    overflow: OverflowSettings = Field(
        default=OverflowSettings(),
        description="Mode hybrid: the API that takes what the replicas cannot",
    )
    replicas: Integer = Field(
        default=2,
        ge=2,
        le=50,
        description="Pods of the gateway that always run, 2 or more; at peaks an "
        "autoscaler adds up to what the estimate's busiest minute asks for",
    )
    separate_inside: Boolean | None = Field(
        default=None,
        description="Mode hybrid: whether the pods that clients call have no way out of the "
        "cluster, and a second set of pods, which gets only what may leave, calls the API; "
        "null for: if a team has dataMayLeave false",
    )
    tls: CertificateSettings = Field(
        default=CertificateSettings(),
        description="The certificate that clients see",
    )
    hostname: Annotated[
        str,
        matching(
            rf"{SUBDOMAIN}",
            "a DNS name such as llm.example.internal",
            empty="",
        ),
    ] = Field(
        default="",
        description="Name by which clients outside the cluster call, which the "
        "certificate has; empty for the Service's own name alone",
    )
    route: RouteSettings = Field(
        default=RouteSettings(),
        description="How requests come in from outside the cluster, beside network.exposure",
    )
    oidc: OidcSettings = Field(
        default=OidcSettings(),
        description="Tokens of an identity provider, the recommended way of identity",
    )
    max_answers: Integer = Field(
        default=4,
        ge=1,
        le=128,
        description="Most answers to one request (its n times its prompts), each of which is paid",
    )
    max_body_megabytes: Integer = Field(
        default=8,
        ge=1,
        le=64,
        description="Largest request in MiB; the gateway holds all that are under way in memory",
    )
    image: ImageReference = Field(
        default="docker.io/envoyproxy/envoy:distroless-v1.39.2@sha256:dced08cf7c472e1a1d067f906878266078eeeb63c110b4961882c039a622853a",
        description="Envoy image with version tag and digest; tests/gateway runs "
        "1.39.1, of the same source",
    )
    limits_image: ImageReference = Field(
        default="docker.io/envoyproxy/ratelimit:1e50889b@sha256:5bb3741fd6709bab1d498eae1a5807faa2113b712dfb236fb76c04a00871ffc9",
        description="Image of Envoy's rate limit service with version tag and digest; "
        "it asks the store whether a team has used up a limit",
    )
    store_image: ImageReference = Field(
        default="docker.io/valkey/valkey:9.1.2@sha256:418652cfb58ef879d4978c33553735d7147016032d5aefaa14c828e611eb9dfd",
        description="Valkey image with version tag and digest; it counts what teams have used",
    )

    @property
    def is_hybrid(self) -> bool:
        """Whether a gateway sends to an API what the replicas cannot take."""
        return self.mode == "hybrid"

    @property
    def is_on(self) -> bool:
        """Whether clients call a gateway, and not the model."""
        return (self.is_hybrid or self.enabled) and not self.is_inference_pool

    @property
    def is_inference_pool(self) -> bool:
        """Whether the cluster's own inference gateway calls the replicas, and none of the stack."""
        return self.kind == KIND

    @property
    def scheme(self) -> str:
        """By which clients call the gateway: "http" or "https"."""
        return "https" if self.tls.is_on else "http"

    @property
    def leaving_teams(self) -> tuple[str, ...]:
        """The teams whose requests may go to the API."""
        return tuple(name for name, team in self.teams.items() if team.data_may_leave)

    @property
    def has_affinity(self) -> bool:
        """Whether requests that begin alike go to the same replica, whose prefix cache has that."""
        return self.is_on

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what the gateway lacks."""
        if self.is_inference_pool:
            yield from self._refused_by_pool()
            return
        if self.inference_pool.endpoint_picker is not None:
            yield Conflict(
                "gateway.inferencePool.endpointPicker",
                f"has no effect with gateway.kind {self.kind}",
                f"Allowed with gateway.kind {KIND}",
                ("gateway.kind",),
            )
        yield from self.tls.conflicts()
        yield from self.oidc.conflicts()
        yield from self.route.lacks(hostname=self.hostname, has_certificate=self.tls.is_on)
        if self.is_on and not self.teams:
            yield Conflict(
                "gateway.teams",
                "nobody",
                "Needed with a gateway: a name for each team, such as chat: {}",
                ("gateway.mode", "gateway.enabled"),
            )

    def _refused_by_pool(self) -> Iterator[Conflict]:
        """Yields what only the stack's own gateway does."""
        own = f"Leave it out, or set gateway.kind to envoy: kind {KIND}"
        without = (
            (self.is_hybrid, "gateway.mode", "hybrid", "sends nothing to an API"),
            (self.enabled, "gateway.enabled", "true", "renders no gateway of the stack"),
            (bool(self.teams), "gateway.teams", "stated", "knows no teams, keys and limits"),
            (self.oidc.is_on, "gateway.oidc.issuer", "stated", "leaves tokens to the Gateway"),
            (self.tls.is_on, "gateway.tls.secret", "stated", "leaves TLS to the Gateway"),
            (
                self.route.kind != "none",
                "gateway.route.kind",
                self.route.kind,
                "renders an HTTPRoute of its own",
            ),
        )
        for is_stated, key, found, why in without:
            if is_stated:
                yield Conflict(key, found, f"{own} {why}", ("gateway.kind",))
