"""Envoy's clusters: the replicas, the API, the counters, and its own inner listeners."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from breakeven.manifests.gateway.certificates import checked, to_egress, to_engine
from breakeven.manifests.gateway.headers import INNER_HEADERS, STAY_INSIDE, TEAM
from breakeven.manifests.gateway.labels import (
    ADMIN_PORT,
    API_PORT,
    EGRESS,
    INSIDE,
    LIMITS_PORT,
    OWN,
    OWN_PORT,
    OWN_THEN_API,
    STORE,
    TO_API,
    TO_OWN,
    api_cluster,
    api_key,
    names_of,
    of_model,
    own_key,
    providers_of,
    replicas_of,
)
from breakeven.manifests.gateway.limits import holds_of
from breakeven.manifests.gateway.tokens import JWKS
from breakeven.manifests.gateway.typed import address, extension, message
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.settings.access.overflow import OverflowApi
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HTTP_TYPE = "extensions.upstreams.http.v3.HttpProtocolOptions"

_SILENT_SECONDS = 10
# Linux (tcp(7)): a machine that is busy acknowledges, a lost one does not, however long an answer
# takes. Envoy closes no request under way when a health check fails.
_TCP, _TCP_USER_TIMEOUT = 6, 18

_NO_LIMIT = 1_000_000


def clusters(settings: Settings, gateway: GatewaySettings) -> Iterator[dict[str, Any]]:
    """Yields the clusters; without an API, none of them leads out of the cluster.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    per_replica = gateway.overflow.requests_per_replica
    held = holds_of(settings, gateway)
    for number, (model, name) in enumerate(names_of(settings)):
        key = own_key(settings, number)
        retries = held[name].requests if name in held else _NO_LIMIT
        yield inner(of_model(TO_OWN, name), OWN_PORT, retries)
        # Requests that have nowhere else to go wait at the engine, and are in nobody's limit.
        yield replicas(settings, of_model(INSIDE, name), name, key, None)
        if model in settings.overflow_apis:
            yield replicas(settings, of_model(OWN, name), name, key, per_replica)
            ways = (of_model(TO_OWN, name), TO_API)
            yield one_after_the_other(of_model(OWN_THEN_API, name), *ways)
    yield from _outside(settings, gateway)
    yield {
        "name": "ratelimit",
        "cluster_type": _by_name(each_address=True),
        "connect_timeout": "0.25s",
        "load_assignment": _endpoint("ratelimit", _host(STORE, settings), LIMITS_PORT),
        "typed_extension_protocol_options": {
            _HTTP: message(_HTTP_TYPE, explicit_http_config={"http2_protocol_options": {}})
        },
    }
    yield {**inner("admin", ADMIN_PORT), "connect_timeout": "1s"}


def _outside(settings: Settings, gateway: GatewaySettings) -> Iterator[dict[str, Any]]:
    """Yields the APIs and the identity provider, or the pods that call them."""
    providers = providers_of(settings)
    if providers:
        yield inner(TO_API, API_PORT)
    for api in providers:
        name, key = api_cluster(settings, api), api_key(settings, api)
        if settings.separates_inside:
            yield {**_by_egress(settings, name, key), **to_egress(settings, gateway)}
        else:
            yield _api(api, name, _with_key(key))
    if settings.separates_inside:
        keys = _token_keys(gateway, _host(EGRESS, settings))
        yield from ({**cluster, **to_egress(settings, gateway)} for cluster in keys)
    else:
        yield from _token_keys(gateway, None)


def egress_clusters(settings: Settings, gateway: GatewaySettings) -> Iterator[dict[str, Any]]:
    """Yields the clusters of the pods that call the API, if these are separate pods.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    for api in providers_of(settings):
        last = _last_step([{"remove": name} for name in (TEAM, STAY_INSIDE)])
        yield _api(api, api_cluster(settings, api), last)
    yield from _token_keys(gateway, None)
    yield {**inner("admin", ADMIN_PORT), "connect_timeout": "1s"}


def _host(service: str, settings: Settings) -> str:
    # With a trailing dot, a name is looked up once instead of with every suffix of resolv.conf.
    return f"{service}.{settings.network.namespace}.svc.cluster.local."


def _endpoint(cluster: str, host: str, port: int) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": address(host, port)}}]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": endpoints}]}


def _by_name(*, each_address: bool) -> dict[str, Any]:
    """Looks up a name: every second for all replicas, or for one address of an API."""
    return extension(
        "envoy.clusters.dns",
        "extensions.clusters.dns.v3.DnsCluster",
        dns_refresh_rate="1s" if each_address else "30s",
        dns_lookup_family="V4_PREFERRED",
        all_addresses_in_single_endpoint=not each_address,
    )


def inner(name: str, port: int, retries: int = _NO_LIMIT) -> dict[str, Any]:
    """Returns the cluster of a listener on loopback; so many retries may be under way."""
    limits = {**_unlimited()["thresholds"][0], "max_retries": retries}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": _endpoint(name, "127.0.0.1", port),
        "circuit_breakers": {"thresholds": [limits]},
    }


def _unlimited(**more: object) -> dict[str, Any]:
    """Envoy's own limits, 1,024 and three retries, are a trap for a cluster of composites."""
    kinds = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {"thresholds": [dict.fromkeys(kinds, _NO_LIMIT)], **more}


def one_after_the_other(name: str, *tried: str) -> dict[str, Any]:
    """Returns a cluster that asks others in turn."""
    return {
        "name": name,
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": "1s",
        "circuit_breakers": _unlimited(),
        "cluster_type": extension(
            "envoy.clusters.composite",
            "extensions.clusters.composite.v3.ClusterConfig",
            clusters=[{"name": one} for one in tried],
        ),
    }


def replicas(
    settings: Settings, name: str, model: str, key: str, per_replica: int | None
) -> dict[str, Any]:
    """Returns the cluster of the replicas with one name.

    Args:
        settings: The stack's settings.
        name: Of the cluster.
        model: Name of the model's or candidate's objects.
        key: Variable with their key.
        per_replica: Requests in flight at one of them, at most; None for any number.
    """
    breakers = _unlimited()
    if per_replica is not None:
        # One request a connection (HTTP/1.1). What waits for one cannot be tried elsewhere, and all
        # that come in one moment wait for theirs to open: an eighth of a replica's requests.
        waiting = max(2, per_replica // 8)
        breakers = {
            "thresholds": [{**_unlimited()["thresholds"][0], "max_pending_requests": waiting}],
            "per_host_thresholds": [{"max_connections": per_replica}],
        }
    return {
        "name": name,
        "cluster_type": _by_name(each_address=True),
        "connect_timeout": "3s",
        "lb_policy": "MAGLEV",
        "common_lb_config": {
            # A replica 25% busier than the mean gets no further requests by prefix.
            "consistent_hashing_lb_config": {"hash_balance_factor": 125},
            "healthy_panic_threshold": {"value": 0},
            "ignore_new_hosts_until_first_hc": True,
            # Otherwise new and removed replicas count a second later.
            "update_merge_window": "0s",
        },
        "load_assignment": _endpoint(name, _host(replicas_of(model), settings), ENGINE_PORT),
        **to_engine(settings, model),
        "health_checks": [
            {
                "interval": "1s",
                "timeout": "2s",
                "no_traffic_interval": "1s",
                # A slow replica is busy; one that refuses is ejected at once, see below.
                "unhealthy_threshold": 4,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/health"},
            }
        ],
        "outlier_detection": {
            "interval": "1s",
            "base_ejection_time": "5s",
            "max_ejection_time": "30s",
            "max_ejection_percent": 100,
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 2,
            "enforcing_local_origin_success_rate": 0,
            "enforcing_success_rate": 0,
            # Status 500 may be caused by the request: the next replica is tried; none is ejected.
            "enforcing_consecutive_5xx": 0,
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
        },
        "circuit_breakers": breakers,
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 4, "keepalive_interval": 2, "keepalive_probes": 3}
        },
        "upstream_bind_config": {
            "socket_options": [
                {
                    "level": _TCP,
                    "name": _TCP_USER_TIMEOUT,
                    "int_value": _SILENT_SECONDS * 1000,
                    "state": "STATE_PREBIND",
                }
            ]
        },
        "typed_extension_protocol_options": {
            _HTTP: message(
                _HTTP_TYPE,
                explicit_http_config={"http_protocol_options": {}},
                http_filters=_with_key(key),
            )
        },
    }


def _token_keys(gateway: GatewaySettings, by: str | None) -> Iterator[dict[str, Any]]:
    """Yields the cluster of the identity provider's keys: outside, or behind pods that reach it."""
    if not gateway.oidc.jwks_uri:
        return
    host = urlsplit(gateway.oidc.jwks_uri).hostname or ""
    ca = "/etc/ssl/certs/ca-certificates.crt"
    yield {
        "name": JWKS,
        "cluster_type": _by_name(each_address=by is not None),
        "connect_timeout": "5s",
        "load_assignment": _endpoint(JWKS, by or host, API_PORT if by else 443),
        "circuit_breakers": _unlimited(),
        **({} if by else {"transport_socket": checked(host, [host], ca)}),
    }


def _by_egress(settings: Settings, name: str, key: str) -> dict[str, Any]:
    """Returns the pods that call the API, which check again whether data may leave."""
    # The key is added here: without it, nobody else can use those pods.
    return {
        "name": name,
        "cluster_type": _by_name(each_address=True),
        "connect_timeout": "1s",
        "load_assignment": _endpoint(name, _host(EGRESS, settings), API_PORT),
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        "health_checks": [
            {
                "interval": "1s",
                "timeout": "2s",
                "no_traffic_interval": "1s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "tcp_health_check": {},
            }
        ],
        "circuit_breakers": _unlimited(),
        "typed_extension_protocol_options": {
            _HTTP: message(
                _HTTP_TYPE,
                explicit_http_config={"http_protocol_options": {}},
                http_filters=_with_key(key, kept=(TEAM, STAY_INSIDE)),
            )
        },
    }


def _api(api: OverflowApi, name: str, last: list[dict[str, Any]]) -> dict[str, Any]:
    host = urlsplit(api.address).hostname or ""
    return {
        "name": name,
        "cluster_type": _by_name(each_address=False),
        "connect_timeout": "5s",
        "load_assignment": _endpoint(name, host, 443),
        "circuit_breakers": _unlimited(),
        "transport_socket": checked(host, [host], "/etc/ssl/certs/ca-certificates.crt"),
        "typed_extension_protocol_options": {
            _HTTP: message(
                _HTTP_TYPE,
                explicit_http_config={"http_protocol_options": {}},
                http_filters=last,
            )
        },
    }


def _with_key(variable: str, kept: Collection[str] = ()) -> list[dict[str, Any]]:
    """Adds the key and removes internal headers, as the very last step.

    Earlier, the prefix hash would be removed before it selects a replica.
    """
    key = {"key": "authorization", "value": f"Bearer %ENVIRONMENT({variable})%"}
    removed = [name for name in (*INNER_HEADERS, STAY_INSIDE) if name not in kept]
    return _last_step(
        [
            {"append": {"header": key, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
            *({"remove": name} for name in removed),
        ]
    )


def _last_step(mutations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        extension(
            "envoy.filters.http.header_mutation",
            "extensions.filters.http.header_mutation.v3.HeaderMutation",
            mutations={"request_mutations": list(mutations)},
        ),
        extension(
            "envoy.filters.http.upstream_codec",
            "extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        ),
    ]
