"""Names, labels and ports of the parts of the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.settings.access.overflow import OverflowApi
from breakeven.settings.stack import PLAIN_NAME, RolloutCandidate, Settings

GATEWAY = "gateway"
EGRESS = "gateway-egress"
STORE = "gateway-store"


def replicas_of(name: str) -> str:
    """Returns the Service whose name has the addresses of a model's ready replicas.

    Args:
        name: Of the model's objects.
    """
    return f"{name}-replicas"


GATEWAY_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "gateway",
}
EGRESS_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "gateway-egress",
}
STORE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "ratelimit",
    "app.kubernetes.io/component": "gateway-store",
}

GATEWAY_PORT = 8000
GATEWAY_PORT_NAME = "http"
METRICS_PORT = 9464
METRICS_PORT_NAME = "metrics"

# On loopback: Envoy's admin pages, and the inner listeners.
ADMIN_PORT = 9901
OWN_PORT = 8001
API_PORT = 8002
CANDIDATE_PORT = 8003

TO_OWN = "to-own"
"""Envoy's cluster of the listener in front of own replicas; its counter starts the first one."""

TO_CANDIDATE = "to-candidate"
"""Envoy's cluster of the listener in front of a candidate's replicas."""

TO_API, API = "to-api", "api"
"""Envoy's clusters of the listener in front of the APIs, and of the first provider."""
INSIDE, OWN, OWN_THEN_API = "inside", "own", "own-then-api"
"""Envoy's clusters of own replicas without a limit, with one, and with an API after them."""

_OWN_KEY, _API_KEY = "OWN_API_KEY", "OVERFLOW_API_KEY"


def of_model(cluster: str, name: str) -> str:
    """Returns Envoy's cluster for one model; the first model has the plain name.

    Args:
        cluster: Its plain name.
        name: Of the model's objects.
    """
    return cluster if name == PLAIN_NAME else f"{cluster}-{name}"


LIMITS_PORT = 8081
LIMITS_HEALTH_PORT = 8080
VALKEY_PORT = 6379
"""On loopback of the store's pod."""

FILES_FOLDER = "/etc/gateway"
CERTIFICATE_FOLDER = "/etc/gateway-tls"
ENGINE_CA_FOLDER = "/etc/engine-ca"
EGRESS_CA_FOLDER = "/etc/egress-ca"
JWKS_FOLDER = "/etc/gateway-jwks"
KEYS_FOLDER = "/etc/gateway-keys"


@dataclass(frozen=True, slots=True)
class PodSet:
    """A set of pods with one configuration and name.

    Attributes:
        name: Of all their objects.
        labels: Labels that select the pods.
    """

    name: str
    labels: Mapping[str, str]


FRONT = PodSet(GATEWAY, GATEWAY_LABELS)
"""The pods that clients call."""
WAY_OUT = PodSet(EGRESS, EGRESS_LABELS)
"""The pods that call the API, if the pods that clients call have no way out."""


def names_of(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Returns the names of all models and of their objects; the first model has the plain name."""
    others = ((other.model, other.name) for other in settings.co_located)
    return ((settings.model.facts.name, settings.name), *others)


def served_of(settings: Settings) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Returns the model names of requests, with the names of their models' objects."""
    others = ((other.served, other.name) for other in settings.co_located)
    return ((settings.model.served, settings.name), *others)


def trials_of(settings: Settings) -> tuple[tuple[int, str, RolloutCandidate], ...]:
    """Returns the candidates, with the place and the objects' name of the model that each tries.

    Args:
        settings: Of the first model.
    """
    others = ((other.name, other.tried) for other in settings.co_located)
    models = ((settings.name, settings.tried), *others)
    return tuple(
        (place, name, tried) for place, (name, tried) in enumerate(models) if tried is not None
    )


def own_key(settings: Settings, number: int) -> str:
    """Returns the variable that holds the key of a model's replicas.

    Args:
        settings: Of the first model.
        number: Index of the model, from 0.
    """
    if not number:
        return _OWN_KEY
    same = settings.co_located[number - 1].api_key_secret == settings.engine.api_key_secret
    return _OWN_KEY if same else f"{_OWN_KEY}_{number}"


def providers_of(settings: Settings) -> tuple[OverflowApi, ...]:
    """Returns one API of each provider, because address and key belong to the provider."""
    apis = settings.overflow_apis.values()
    return tuple({api.provider: api for api in reversed([*apis])}.values())[::-1]


def api_cluster(settings: Settings, api: OverflowApi) -> str:
    """Returns the cluster of an API; the first provider has the plain name."""
    first = providers_of(settings)[0].provider
    return API if api.provider == first else f"{API}-{api.provider}"


def api_key(settings: Settings, api: OverflowApi) -> str:
    """Returns the variable that holds the gateway's key of an API."""
    place = [one.provider for one in providers_of(settings)].index(api.provider)
    return f"{_API_KEY}_{place}" if place else _API_KEY
