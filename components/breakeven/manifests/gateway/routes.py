"""Routes: which requests the gateway accepts, and where each may go.

A request stays inside unless a route says otherwise: the last route of a path has no way out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.headers import DESTINATION, MODEL, STAY_INSIDE, TEAM, WAITS
from breakeven.manifests.gateway.labels import (
    OWN_THEN_API,
    TO_API,
    TO_OWN,
    names_of,
    of_model,
    served_of,
    trials_of,
)
from breakeven.manifests.gateway.limits import Hold, holds_of
from breakeven.manifests.gateway.typed import exactly, message
from breakeven.settings.access.overflow import OverflowApi
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import RolloutCandidate, Settings

MODELS = "/v1/models"
THEN_OWN, THEN_API = "candidate-then-own", "candidate-then-own-then-api"
"""Envoy's clusters of a candidate's share: what it cannot take goes to these next."""


def _path(output: str = "", *lengths: str, stream_options: bool = False) -> dict[str, Any]:
    return {
        "output": output,
        "lengths": dict.fromkeys((output, *lengths), True),
        "stream_options": stream_options,
    }


# By path: the parameters that limit the length of an answer, first the one that is set where a
# request has none of them, and whether a stream tells its usage only if asked.
PATHS: Mapping[str, Mapping[str, Any]] = {
    "/v1/chat/completions": _path("max_completion_tokens", "max_tokens", stream_options=True),
    "/v1/completions": _path("max_tokens", stream_options=True),
    "/v1/responses": _path("max_output_tokens"),
    "/v1/messages": _path("max_tokens"),
    "/v1/embeddings": _path(),
    "/v1/rerank": _path(),
    "/v1/score": _path(),
}

# From the connections to the answer's last byte, the listener behind decides; this one waits.
_WAITS = {"timeout": "0s"}
_NEXT = {
    "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
    "retriable_status_codes": [500, 502, 503],
    "num_retries": 1,
}


def models_of(settings: Settings) -> tuple[str, ...]:
    """Returns the names that own replicas serve: of all models and adapters."""
    return tuple(name for served, _ in served_of(settings) for name in served)


def routes(settings: Settings, gateway: GatewaySettings) -> list[dict[str, Any]]:
    """Returns the routes of the listener that clients call, in the order in which they are tried.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    return [
        *_of_paths(settings, gateway),
        {
            "name": "models",
            "match": {"path": MODELS, "headers": [exactly(":method", "GET")]},
            "direct_response": {"status": 200, "body": {"inline_string": _list(settings)}},
            "response_headers_to_add": [
                {"header": {"key": "content-type", "value": "application/json"}}
            ],
        },
        {
            "name": "nothing",
            "match": {"prefix": "/"},
            "direct_response": _error(404, "there is nothing at this address"),
            # Does not require a key, because the answer reveals nothing.
            "typed_per_filter_config": {
                "envoy.filters.http.lua": message(
                    "extensions.filters.http.lua.v3.LuaPerRoute", disabled=True
                )
            },
        },
    ]


def _of_paths(settings: Settings, gateway: GatewaySettings) -> Iterator[dict[str, Any]]:
    leaving = gateway.leaving_teams
    # gateway.lua removes the header if its value is "false"; any other value is kept.
    may_leave: list[Mapping[str, Any]] = [
        {"name": TEAM, "string_match": one_of(leaving)},
        {"name": STAY_INSIDE, "present_match": True, "invert_match": True},
    ]
    apis, names = settings.overflow_apis, dict(names_of(settings))
    trials = {name: tried for _, name, tried in trials_of(settings)}
    if leaving:
        for model, api in apis.items():
            if outside := _of_api(api):
                # APIs do not have the stack's adapters, so their requests stay with own replicas.
                base = exactly(MODEL, model)
                cluster = of_model(OWN_THEN_API, names[model])
                leaves, tried = [base, *may_leave], trials.get(names[model])
                share = of_model(THEN_API, names[model])
                yield from _tried(tried, outside, "overflow", leaves, share, 2)
                yield _route(outside, "overflow", leaves, cluster, _NEXT)
        for api in {api.model: api for api in apis.values() if _of_api(api)}.values():
            asked = [exactly(MODEL, api.model)]
            outside = _of_api(api)
            yield _route(outside, "asked for", [*asked, *may_leave], TO_API, None)
            yield {
                "name": "stays inside",
                "match": _match(outside, asked),
                "direct_response": _error(
                    403, f"{api.model} is outside; this request may not leave"
                ),
            }
    paths = [*PATHS]
    held = holds_of(settings, gateway)
    for served, name in served_of(settings):
        own = {"name": MODEL, "string_match": one_of(served)}
        share = of_model(THEN_OWN, name)
        yield from _tried(trials.get(name), paths, "inside", [own], share, 1)
        waits = _waits(held[name]) if name in held else None
        yield _route(paths, "inside", [own], of_model(TO_OWN, name), waits)
    yield {
        "name": "no such model",
        "match": _match(paths, [{"name": MODEL, "present_match": True}]),
        "direct_response": _error(404, "no such model here; GET /v1/models lists them"),
    }
    # What the filters see before key and body are read; nothing is ever sent by it.
    yield {
        "name": "unread",
        "match": _match(paths, []),
        "direct_response": _error(503, "not read"),
    }


def _of_api(api: OverflowApi) -> list[str]:
    """Returns the paths that both an API and the gateway serve."""
    return [path for path in PATHS if path in api.paths]


def _waits(hold: Hold) -> dict[str, Any]:
    """Returns how a request waits for the first replica."""
    again = {"name": WAITS, "present_match": True}
    return {
        "retry_on": "retriable-headers",
        "retriable_headers": [again],
        "num_retries": hold.tries,
        "rate_limited_retry_back_off": {"reset_headers": [{"name": WAITS, "format": "SECONDS"}]},
    }


def _tried(  # noqa: PLR0913, PLR0917  # as `_route`, for the share of a candidate
    tried: RolloutCandidate | None,
    paths: Sequence[str],
    name: str,
    headers: Sequence[Mapping[str, Any]],
    cluster: str,
    retries: int,
) -> Iterator[dict[str, Any]]:
    """Yields the route of a candidate's share, with the same destinations as the next route.

    At random per request: Envoy draws one number for each request.
    """
    if tried is None:
        return
    route = _route(paths, name, headers, cluster, {**_NEXT, "num_retries": retries})
    share = {"numerator": tried.traffic_percent, "denominator": "HUNDRED"}
    yield {**route, "match": {**route["match"], "runtime_fraction": {"default_value": share}}}


def _route(
    paths: Sequence[str],
    name: str,
    headers: Sequence[Mapping[str, Any]],
    cluster: str,
    retry: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "name": name,
        "match": _match(paths, headers),
        "request_headers_to_add": [
            {
                "header": {"key": DESTINATION, "value": name},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
        "route": {
            "cluster": cluster,
            **_WAITS,
            **({} if retry is None else {"retry_policy": dict(retry)}),
        },
    }


def _match(paths: Sequence[str], headers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        **one_of(paths),
        "headers": [exactly(":method", "POST"), *headers],
    }


def one_of(names: Sequence[str]) -> dict[str, Any]:
    """Matches a text that is one of the names (at least one)."""
    return {"safe_regex": {"regex": "|".join(re.escape(name) for name in names)}}


def _error(status: int, text: str) -> dict[str, Any]:
    return {"status": status, "body": {"inline_string": text}}


def _list(settings: Settings) -> str:
    apis = dict.fromkeys(api.model for api in settings.overflow_apis.values())
    names = [*models_of(settings), *apis]
    return json.dumps(
        {
            "object": "list",
            "data": [{"id": name, "object": "model", "owned_by": "breakeven"} for name in names],
        }
    )
