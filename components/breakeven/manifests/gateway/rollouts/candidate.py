"""What Envoy has for candidates: a listener, and the clusters behind their share.

The listener is for all of them: it knows by the model which candidate is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.clusters import inner, one_after_the_other, replicas
from breakeven.manifests.gateway.headers import MODEL, PREFIX
from breakeven.manifests.gateway.labels import (
    CANDIDATE_PORT,
    TO_API,
    TO_CANDIDATE,
    TO_OWN,
    names_of,
    of_model,
    own_key,
    served_of,
    trials_of,
)
from breakeven.manifests.gateway.limits import longest_of_own
from breakeven.manifests.gateway.listeners import IS_COUNTED, UNCOUNTED, before_replicas
from breakeven.manifests.gateway.routes import THEN_API, THEN_OWN, one_of
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_REPLICAS = "candidate"


def candidate_clusters(settings: Settings, gateway: GatewaySettings) -> Iterator[dict[str, Any]]:
    """Yields them; nothing without a candidate.

    Args:
        settings: Of the first model.
        gateway: The stack's gateway.
    """
    trials = trials_of(settings)
    if trials:
        yield inner(TO_CANDIDATE, CANDIDATE_PORT)
    for place, name, tried in trials:
        key, objects = own_key(settings, place), tried.settings.name
        # What its replicas cannot take goes to the model's, so that it is in a limit.
        limit = gateway.overflow.requests_per_replica
        yield replicas(settings, of_model(_REPLICAS, name), objects, key, limit)
        ways = (TO_CANDIDATE, of_model(TO_OWN, name))
        yield one_after_the_other(of_model(THEN_OWN, name), *ways)
        if names_of(settings)[place][0] in settings.overflow_apis:
            yield one_after_the_other(of_model(THEN_API, name), *ways, TO_API)


def candidate_listeners(
    settings: Settings, gateway: GatewaySettings, rules: Mapping[str, Any]
) -> Sequence[dict[str, Any]]:
    """Returns the one in front of the candidates' replicas, which asks each once; see `own`.

    Args:
        settings: Of the first model.
        gateway: The stack's gateway.
        rules: What usage.lua reads.
    """
    served = served_of(settings)
    routes = [
        {
            "match": {
                "prefix": "/",
                "headers": [IS_COUNTED, *_asking_for(settings, served[place][0])],
            },
            "route": {
                "cluster": of_model(_REPLICAS, name),
                "timeout": f"{longest_of_own(settings)}s",
                "hash_policy": [{"header": {"header_name": PREFIX}}],
            },
        }
        for place, name, _ in trials_of(settings)
    ]
    if not routes:
        return ()
    rest = [*routes, UNCOUNTED]
    return (before_replicas("candidate", CANDIDATE_PORT, settings, gateway, rules, rest),)


def _asking_for(settings: Settings, served: Sequence[str]) -> list[dict[str, Any]]:
    if not settings.co_located:
        return []
    return [{"name": MODEL, "string_match": one_of(served)}]
