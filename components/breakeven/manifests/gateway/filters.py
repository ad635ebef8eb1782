"""What each listener does with a request: our programs, the limits, and answers of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.headers import INNER_HEADERS, WAITS
from breakeven.manifests.gateway.labels import FILES_FOLDER
from breakeven.manifests.gateway.limits import DOMAIN, HOLD_INTERVAL_SECONDS
from breakeven.manifests.gateway.typed import extension, message, noted

_LUA = "envoy.filters.http.lua"

CONNECTION_SECONDS = 60
"""How long a client may keep a connection: then the next pod is asked."""

# As Envoy's edge guidance has it ("Configuring Envoy as an edge proxy").
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
    # Before anything else runs: where a program fails, nothing that a client said is believed.
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
    """Returns the last filter, which sends a request on."""
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
    """Returns what such a program reads, as a part of a virtual host."""
    reads = message("extensions.filters.http.lua.v3.LuaPerRoute", filter_context=dict(rules))
    return {"typed_per_filter_config": {_LUA: reads}}


def budgets(limits: Sequence[Mapping[str, Any]], *, must_answer: bool) -> dict[str, Any]:
    """Returns the filter that asks the service of limits.

    Args:
        limits: What it asks, and what it adds. Here and not with the routes, which add 1 whatever
            a limit's `hits_addend` says (seen with 1.40.0).
        must_answer: Whether a request is refused where the service does not answer.
    """
    return extension(
        "envoy.filters.http.ratelimit",
        "extensions.filters.http.ratelimit.v3.RateLimit",
        domain=DOMAIN,
        # Where money may go out, it is worth the wait.
        timeout="1s" if must_answer else "0.25s",
        failure_mode_deny=must_answer,
        status_on_error={"code": 503},
        # gateway.lua makes Retry-After of it, and takes the rest away.
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        rate_limits=list(limits),
        disable_x_envoy_ratelimited_header=True,
        rate_limit_service={
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "ratelimit"}},
        },
    )


def descriptor(key: str, known: str = "limited") -> dict[str, Any]:
    """Names a team that has limits; a request of another one has no such entry, and asks nobody.

    By what the programs noted, not by headers: those are gone when a request ends.
    """
    metadata_key = {"key": "gateway", "path": [{"key": known}]}
    return {"metadata": {"descriptor_key": key, "source": "DYNAMIC", "metadata_key": metadata_key}}


def _usd() -> list[dict[str, Any]]:
    return [descriptor("usd"), descriptor("month", "month")]


def asked() -> list[dict[str, Any]]:
    """Returns questions whether tokens or money are used up; they add nothing."""
    return [
        {"actions": actions, "hits_addend": {"number": 0}}
        for actions in ([descriptor("tokens")], _usd())
    ]


def paid() -> list[dict[str, Any]]:
    """Returns what is added when a request has ended, however it ended."""
    return [
        {
            "actions": actions,
            "apply_on_stream_done": True,
            "hits_addend": {"format": noted(name)},
        }
        for actions, name in (([descriptor("tokens")], "tokens"), (_usd(), "units"))
    ]


def refusals(*, holds: bool = False) -> dict[str, Any]:
    """Answers of Envoy's own, in the form of OpenAI's errors.

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
            # The list of models is not a refusal.
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
    """Sets a header, whatever it was."""
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


_RETRY_AFTER = header("retry-after", "30")
