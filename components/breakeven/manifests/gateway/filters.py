"""Filters of each listener: our programs, the limits, and local replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.headers import INNER_HEADERS, WAITS
from breakeven.manifests.gateway.labels import FILES_FOLDER
from breakeven.manifests.gateway.limits import DOMAIN, HOLD_INTERVAL_SECONDS
from breakeven.manifests.gateway.typed import extension, message, noted

_LUA = "envoy.filters.http.lua"

CONNECTION_SECONDS = 60
"""Maximum age of a client's connection; the next one may reach another pod."""

# From Envoy's guide "Configuring Envoy as an edge proxy".
EDGE: Mapping[str, Any] = {
    "use_remote_address": True,
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    "max_request_headers_kb": 32,
    "request_headers_timeout": "10s",
    "request_timeout": "60s",  # to read a request
    "common_http_protocol_options": {
        "headers_with_underscores_action": "REJECT_REQUEST",
        "max_headers_count": 64,
        "idle_timeout": "300s",
        "max_connection_duration": f"{CONNECTION_SECONDS}s",
    },
    "http1_safe_max_connection_duration": True,
    # Runs first: if a program fails, no header of a client is trusted.
    "early_header_mutation_extensions": [
        extension(
            "envoy.http.early_header_mutation.header_mutation",
            "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations=[{"remove": name} for name in INNER_HEADERS],
        )
    ],
    "http2_protocol_options": {
        "max_concurrent_streams": 100,
        "initial_stream_window_size": 65536,
        "initial_connection_window_size": 1048576,
    },
}


def router() -> dict[str, Any]:
    """Returns the last filter, which forwards a request."""
    return extension(
        "envoy.filters.http.router",
        "extensions.filters.http.router.v3.Router",
        # Else a client steers time-outs and retries by headers, and a full listener forbids the
        # next try.
        suppress_envoy_headers=True,
    )


def lua(file: str) -> dict[str, Any]:
    """Returns the filter that runs a program of charts/gateway."""
    return extension(
        _LUA,
        "extensions.filters.http.lua.v3.Lua",
        default_source_code={"filename": f"{FILES_FOLDER}/{file}"},
    )


def lua_reads(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a program's input, as part of a virtual host."""
    reads = message("extensions.filters.http.lua.v3.LuaPerRoute", filter_context=dict(rules))
    return {"typed_per_filter_config": {_LUA: reads}}


def budgets(limits: Sequence[Mapping[str, Any]], *, must_answer: bool) -> dict[str, Any]:
    """Returns the filter that asks the service of limits.

    Args:
        limits: Checks and additions. Here and not on the routes, which add 1 regardless of
            a limit's `hits_addend` says (seen with 1.40.0).
        must_answer: Whether a request is rejected if the service does not answer.
    """
    return extension(
        "envoy.filters.http.ratelimit",
        "extensions.filters.http.ratelimit.v3.RateLimit",
        domain=DOMAIN,
        # If a request may cost money, the wait is justified: while a replica started on its node,
        # the service took over a second, and requests were rejected that the API could serve.
        timeout="3s" if must_answer else "0.25s",
        failure_mode_deny=must_answer,
        status_on_error={"code": 503},
        # gateway.lua converts it to Retry-After and removes the rest.
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        rate_limits=list(limits),
        disable_x_envoy_ratelimited_header=True,
        rate_limit_service={
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "ratelimit"}},
        },
    )


def descriptor(key: str, known: str = "limited") -> dict[str, Any]:
    """Names a team with limits; requests of other teams have no entry and are not checked.

    From metadata of the programs, not from headers, which are gone when a request ends.
    """
    metadata_key = {"key": "gateway", "path": [{"key": known}]}
    return {"metadata": {"descriptor_key": key, "source": "DYNAMIC", "metadata_key": metadata_key}}


def _usd() -> list[dict[str, Any]]:
    return [descriptor("usd"), descriptor("month", "month")]


def asked() -> list[dict[str, Any]]:
    """Returns the checks whether tokens or money are used up, which do not add anything."""
    return [
        {"actions": actions, "hits_addend": {"number": 0}}
        for actions in ([descriptor("tokens")], _usd())
    ]


def paid() -> list[dict[str, Any]]:
    """Returns what to add when a request has ended, successful or not."""
    return [
        {
            "actions": actions,
            "apply_on_stream_done": True,
            "hits_addend": {"format": noted(name)},
        }
        for actions, name in (([descriptor("tokens")], "tokens"), (_usd(), "units"))
    ]


def refusals(*, holds: bool = False) -> dict[str, Any]:
    """Returns Envoy's local replies, in the form of OpenAI's errors.

    Args:
        holds: Whether the listener before this one tries again while no replica is ready.
    """
    seconds = header(WAITS, str(HOLD_INTERVAL_SECONDS))
    none_ready = {"response_flag_filter": {"flags": ["UH"]}}
    waits = [{"filter": none_ready, "headers_to_add": [_RETRY_AFTER, seconds]}] if holds else []

    def status(code: int) -> dict[str, Any]:
        comparison = {"op": "EQ", "value": {"default_value": code, "runtime_key": "none"}}
        return {"status_code_filter": {"comparison": comparison}}

    return {
        "mappers": [
            # The list of models is not an error.
            {
                "filter": status(200),
                "body_format_override": {
                    "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
                    "content_type": "application/json",
                },
            },
            *waits,
            {"filter": status(503), "headers_to_add": [_RETRY_AFTER]},
            {
                "filter": {"response_flag_filter": {"flags": ["RL"]}},
                "body": {"inline_string": "the team has used up a limit; see Retry-After"},
            },
        ],
        "body_format": {
            "json_format": {
                "error": {
                    "message": "%LOCAL_REPLY_BODY%",
                    "type": "gateway",
                    "code": "%RESPONSE_CODE%",
                }
            }
        },
    }


def header(name: str, value: str) -> dict[str, Any]:
    """Sets a header, replacing any previous value."""
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


_RETRY_AFTER = header("retry-after", "30")
