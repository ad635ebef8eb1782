"""Envoy's listeners.

A request passes two listeners: `clients`, which knows who asks and where the request may go, and
then `own` or `api`, each of which tries, counts and pays for itself. Envoy asks no other cluster
once the limit of one is reached; a listener of its own before it makes that an answer, after which
the next is asked (envoy#38185).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from breakeven.manifests.gateway.certificates import served
from breakeven.manifests.gateway.filters import (
    EDGE,
    asked,
    budgets,
    descriptor,
    header,
    lua,
    lua_reads,
    paid,
    refusals,
    router,
)
from breakeven.manifests.gateway.headers import (
    COUNTED,
    DESTINATION,
    MODEL,
    PREFIX,
    STAY_INSIDE,
    TEAM,
    WAITS,
)
from breakeven.manifests.gateway.labels import (
    API_PORT,
    GATEWAY_PORT,
    INSIDE,
    METRICS_PORT,
    OWN,
    OWN_PORT,
    api_cluster,
    names_of,
    of_model,
    providers_of,
    served_of,
)
from breakeven.manifests.gateway.limits import holds_of, longest_answer, longest_of_own
from breakeven.manifests.gateway.records import records
from breakeven.manifests.gateway.routes import one_of
from breakeven.manifests.gateway.tokens import keys_route, token_check
from breakeven.manifests.gateway.typed import address, exactly, extension, message
from breakeven.settings.access.overflow import OverflowApi
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_ANYWHERE = "0.0.0.0"  # noqa: S104  # the pod's address; network rules name who may call
_LOOPBACK = "127.0.0.1"
_MARGIN = 30

_HTTP = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

_ANOTHER: Mapping[str, Any] = {
    "num_retries": 1,
    "retry_host_predicate": [
        extension(
            "envoy.retry_host_predicates.previous_hosts",
            "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        )
    ],
    # Few hosts, one of them by the prefix: else the faulty one is asked again.
    "host_selection_retry_max_attempts": "10",
}
"""Asks another host once."""

IS_COUNTED = exactly(COUNTED, "1")
UNCOUNTED: Mapping[str, Any] = {
    "match": {"prefix": "/"},
    "direct_response": {
        "status": 503,
        "body": {"inline_string": "the usage of this request could not be counted"},
    },
}


def clients(
    settings: Settings,
    gateway: GatewaySettings,
    rules: Mapping[str, Any],
    routes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Returns the listener that clients call.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        rules: Input of gateway.lua.
        routes: The routes.
    """
    filters = [
        *token_check(gateway),
        lua("gateway.lua"),
        budgets([*asked(), {"actions": [descriptor("requests")]}], must_answer=False),
    ]
    shared = lua_reads(rules)
    if holds_of(settings, gateway):
        # The listener in front of the replicas says it to the routes of all models.
        shared["response_headers_to_remove"] = [WAITS]
    http = _http("clients", longest_answer(settings, gateway) + _MARGIN, filters, shared, routes)
    listener = _listener("clients", (_ANYWHERE, GATEWAY_PORT), gateway, {**http, **EDGE})
    [chain] = listener["filter_chains"]
    return {**listener, "filter_chains": [{**chain, **served(gateway.tls.secret)}]}


def own(settings: Settings, gateway: GatewaySettings, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the listener in front of the own replicas.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        rules: What usage.lua reads.
    """
    longest = longest_of_own(settings)
    again = {
        **_ANOTHER,
        "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
        "retriable_status_codes": [500, 503],
    }

    def route(cluster: str, headers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "match": {"prefix": "/", "headers": [IS_COUNTED, *headers]},
            "route": {
                "cluster": cluster,
                "timeout": f"{longest}s",
                "hash_policy": [{"header": {"header_name": PREFIX}}],
                "retry_policy": again,
            },
        }

    overflow, names = exactly(DESTINATION, "overflow"), dict(names_of(settings))
    routes = [
        *(
            route(of_model(OWN, names[model]), [overflow, exactly(MODEL, model)])
            for model in settings.overflow_apis
        ),
        *(
            route(of_model(INSIDE, name), [{"name": MODEL, "string_match": one_of(served)}])
            for served, name in served_of(settings)
        ),
        UNCOUNTED,
    ]
    return before_replicas("own", OWN_PORT, settings, gateway, rules, routes)


def before_replicas(  # noqa: PLR0913, PLR0917  # one argument for each thing that differs
    name: str,
    port: int,
    settings: Settings,
    gateway: GatewaySettings,
    rules: Mapping[str, Any],
    routes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Returns a listener on loopback before replicas, which counts what their answers use.

    Args:
        name: Who answers, as `x-served-by` has it.
        port: Of the listener.
        settings: The stack's settings.
        gateway: Its gateway.
        rules: What usage.lua reads.
        routes: To the replicas.
    """
    filters = [lua("usage.lua"), budgets(paid(), must_answer=False)]
    shared = {**lua_reads(rules), **_says(name)}
    http = _http(name, longest_of_own(settings) + _MARGIN, filters, shared, routes)
    if name == "own" and holds_of(settings, gateway):
        http |= {"local_reply_config": refusals(holds=True)}
    return _listener(name, (_LOOPBACK, port), gateway, http)


def api(settings: Settings, gateway: GatewaySettings, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the listener in front of the APIs.

    Asks for the team's budget again, and does nothing where nobody can tell: money that leaves must
    be counted.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        rules: What usage.lua reads.
    """

    def to(model: str, behind: OverflowApi) -> dict[str, Any]:
        parts = urlsplit(behind.address)
        asked_for = {"name": MODEL, "string_match": one_of([model, behind.model])}
        return {
            "match": {"prefix": "/v1/", "headers": [IS_COUNTED, asked_for]},
            "route": {
                "cluster": api_cluster(settings, behind),
                "timeout": f"{longest_answer(settings, gateway)}s",
                "prefix_rewrite": f"{parts.path}/",
                "host_rewrite_literal": parts.hostname,
                # Whoever cannot be reached was asked nothing: all else would be paid twice.
                "retry_policy": {**_ANOTHER, "retry_on": "connect-failure"},
            },
        }

    going_out = {"actions": [descriptor("api_requests")]}
    filters = [lua("usage.lua"), budgets([*asked(), going_out, *paid()], must_answer=True)]
    shared = {**lua_reads(rules), **_says("api")}
    routes = [*(to(*one) for one in settings.overflow_apis.items()), UNCOUNTED]
    # A silent API is given up after a while; one that goes on answering may take its time.
    http = _http("api", gateway.overflow.timeout_seconds, filters, shared, routes)
    return _listener("api", (_LOOPBACK, API_PORT), gateway, http)


def egress(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the listener of the pods that call the API, where they are pods of their own.

    It judges again what the other pods have judged: a request with the mark, or of a team that may
    not leave, goes no further.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    longest = longest_answer(settings, gateway)
    refused = {"status": 403, "body": {"inline_string": "this request may not leave"}}
    leaving = gateway.leaving_teams
    may_leave = [{"name": TEAM, "string_match": one_of(leaving)}] if leaving else []
    hosts = {
        urlsplit(one.address).hostname or "": api_cluster(settings, one)
        for one in providers_of(settings)
    }
    routes = [
        *keys_route(gateway),
        {
            "match": {
                "prefix": "/",
                "headers": [{"name": STAY_INSIDE, "present_match": True}],
            },
            "direct_response": refused,
        },
        *(
            {
                "match": {"prefix": "/", "headers": [one, exactly(":authority", host)]},
                "route": {"cluster": cluster, "timeout": f"{longest}s"},
            }
            for one in may_leave
            for host, cluster in hosts.items()
        ),
        {"match": {"prefix": "/"}, "direct_response": refused},
    ]
    http = _http("egress", longest + _MARGIN, [], {}, routes, is_recorded=False)
    listener = _listener("egress", (_ANYWHERE, API_PORT), gateway, http)
    [chain] = listener["filter_chains"]
    return {**listener, "filter_chains": [{**chain, **served(gateway.tls.egress_secret)}]}


def metrics() -> dict[str, Any]:
    """Returns the listener that Prometheus and the probes ask; it has two of Envoy's own pages."""
    routes = [
        {
            "match": {"path": page, "headers": [exactly(":method", "GET")]},
            "route": {"cluster": "admin", "prefix_rewrite": admin},
        }
        for page, admin in (("/metrics", "/stats/prometheus"), ("/ready", "/ready"))
    ]
    http = {
        "stat_prefix": "metrics",
        "request_timeout": "10s",
        "http_filters": [router()],
        "route_config": {
            "virtual_hosts": [{"name": "metrics", "domains": ["*"], "routes": routes}]
        },
    }
    # Probes answer, and Prometheus reads, however many clients there are.
    return {
        **_listening("metrics", (_ANYWHERE, METRICS_PORT), http),
        "ignore_global_conn_limit": True,
    }


def _says(who: str) -> dict[str, Any]:
    """Says who answered; what only Envoy may say is not believed of whoever answers."""
    return {
        "response_headers_to_add": [header("x-served-by", who)],
        "response_headers_to_remove": [
            "x-envoy-overloaded",
            "x-envoy-ratelimited",
            "x-envoy-degraded",
            "x-envoy-upstream-service-time",
            WAITS,
        ],
    }


def _http(  # noqa: PLR0913  # one argument for each thing in which listeners differ
    name: str,
    idle: int,
    filters: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any],
    routes: Sequence[Mapping[str, Any]],
    *,
    is_recorded: bool = True,
) -> dict[str, Any]:
    host = {"name": name, "domains": ["*"], **shared, "routes": list(routes)}
    return {
        "stat_prefix": name,
        "stream_idle_timeout": f"{idle}s",
        # A cut stream is seen at once; `clients` waits, so that an early refusal is read.
        **({} if name == "clients" else {"delayed_close_timeout": "0s"}),
        "local_reply_config": refusals(),
        **({"access_log": records(name)} if is_recorded else {}),
        "http_filters": [*filters, router()],
        "route_config": {"max_direct_response_body_size_bytes": 65536, "virtual_hosts": [host]},
    }


def _listener(
    name: str, at: tuple[str, int], gateway: GatewaySettings, http: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **_listening(name, at, http),
        # Of a body, which is read whole: a longer one is refused with 413.
        "per_connection_buffer_limit_bytes": gateway.max_body_megabytes * 2**20,
    }


def _listening(name: str, at: tuple[str, int], http: Mapping[str, Any]) -> dict[str, Any]:
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": message(_HTTP, **http),
    }
    return {
        "name": name,
        "address": address(*at),
        "filter_chains": [{"filters": [manager]}],
    }
