"""The configuration of the gateway's programs, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from breakeven.manifests.gateway import listeners
from breakeven.manifests.gateway.clusters import clusters, egress_clusters
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.gateway.labels import ADMIN_PORT, EGRESS, names_of, served_of
from breakeven.manifests.gateway.limits import (
    is_limited,
    nano_per_token,
    requests_in_flight,
    unit,
)
from breakeven.manifests.gateway.rollouts.candidate import (
    candidate_clusters,
    candidate_listeners,
)
from breakeven.manifests.gateway.routes import PATHS, routes
from breakeven.manifests.gateway.sizing import MEMORY_BYTES
from breakeven.manifests.gateway.typed import address, extension
from breakeven.manifests.templates import CHARTS
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

PROGRAMS = ("body.lua", "gateway.lua", "usage.lua")


_CONNECTIONS = 4000

# A client that begins streams of HTTP/2 and takes them back filled the thread's time with its own
# requests, and went on after it had left: thousands of them are in one read (CVE-2023-44487).
_RUNTIME = {"http.max_requests_per_io_cycle": 1}

# Characters of a prompt's beginning by which a replica is chosen: about two blocks of a few hundred
# tokens, long enough for a system prompt and short enough to be the same in all its requests.
_PREFIX_CHARACTERS = 2000

# What a request may say, of OpenAI's interfaces, Anthropic's and vLLM's. What is not here may be an
# address, a file or a switch of the engine's (kv_transfer_params, chat_template, ...).
_PARAMETERS = (
    "model",
    "messages",
    "prompt",
    "suffix",
    "echo",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "best_of",
    "stop",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "seed",
    "user",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning_effort",
    "top_k",
    "min_p",
    "min_tokens",
    "repetition_penalty",
    "input",
    "instructions",
    "max_output_tokens",
    "reasoning",
    "text",
    "truncation",
    "include",
    "metadata",
    "store",
    "system",
    "stop_sequences",
    "thinking",
    "dimensions",
    "encoding_format",
    "query",
    "documents",
    "top_n",
    "truncate_prompt_tokens",
    "text_1",
    "text_2",
)

_LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_ONLY_VLLM = ("top_k", "min_p", "min_tokens", "repetition_penalty", "truncate_prompt_tokens")


def envoy(settings: Settings, gateway: GatewaySettings, prices: GatewayFigures) -> dict[str, Any]:
    """Returns Envoy's configuration, which names an API only if there is one.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        prices: The cost of a token, here and at the API.
    """
    # Teams pay the model's price, regardless of who answers.
    rules = _usage(gateway, _own(settings, prices))
    tried = candidate_listeners(settings, gateway, rules)
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {"address": address("127.0.0.1", ADMIN_PORT)},
        "overload_manager": _overload(),
        "layered_runtime": {"layers": [{"name": "gateway", "static_layer": _RUNTIME}]},
        "static_resources": {
            "listeners": [
                listeners.clients(
                    settings, gateway, _rules(settings, gateway), routes(settings, gateway)
                ),
                *tried,
                listeners.own(settings, gateway, rules),
                *(
                    [listeners.api(settings, gateway, _apis(settings, gateway, prices))]
                    if settings.overflow_apis
                    else []
                ),
                listeners.metrics(),
            ],
            "clusters": [*clusters(settings, gateway), *candidate_clusters(settings, gateway)],
        },
    }


def egress(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the configuration of the pods that call the API, if these are separate pods.

    They have no keys and no programs, only the APIs' addresses.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    return {
        "node": {"id": EGRESS, "cluster": EGRESS},
        "admin": {"address": address("127.0.0.1", ADMIN_PORT)},
        "overload_manager": _overload(),
        "static_resources": {
            "listeners": [listeners.egress(settings, gateway), listeners.metrics()],
            "clusters": [*egress_clusters(settings, gateway)],
        },
    }


def programs() -> dict[str, str]:
    """Returns the programs that Envoy runs on requests and answers, by name."""
    return {name: (CHARTS / "gateway" / name).read_text(encoding="utf-8") for name in PROGRAMS}


def _rules(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """What gateway.lua reads."""
    return {
        "names": [*gateway.teams],
        "teams": {
            name: {
                "limited": is_limited(team),
                "in_flight": requests_in_flight(settings, gateway, team),
                **({} if team.max_output_tokens is None else {"output": team.max_output_tokens}),
            }
            for name, team in gateway.teams.items()
        },
        "paths": {path: dict(form) for path, form in PATHS.items()},
        "parameters": dict.fromkeys(_PARAMETERS, True),
        "lengths": list(_LENGTHS),
        "answers": gateway.max_answers,
        # An answer cannot exceed the model's input and output together.
        "longest": max(
            settings.model.max_length, *(other.max_length for other in settings.co_located), 0
        ),
        "beginning": _PREFIX_CHARACTERS,
        **({"claim": gateway.oidc.team_claim} if gateway.oidc.is_on else {}),
    }


def _usage(gateway: GatewaySettings, models: Mapping[str, Any]) -> dict[str, Any]:
    """Input of usage.lua: the cost of a token by model, and the unit of each budget."""
    return {
        "models": dict(models),
        "units": {name: unit(team) for name, team in gateway.teams.items()},
    }


def _nano(input_price: Decimal, cached: Decimal, output: Decimal) -> dict[str, Any]:
    """Billionths of a dollar for a token."""
    return {
        "input": nano_per_token(input_price),
        "cached": nano_per_token(cached),
        "output": nano_per_token(output),
    }


def _own(settings: Settings, prices: GatewayFigures) -> dict[str, Any]:
    """Cost of a token of own replicas, by each name that requests may use."""
    names = zip(names_of(settings), served_of(settings), strict=True)
    return {
        name: _nano(*[prices.of(model).own] * 3)
        for (model, _), (served, _) in names
        for name in served
    }


def _apis(settings: Settings, gateway: GatewaySettings, prices: GatewayFigures) -> dict[str, Any]:
    """Input of usage.lua about APIs, by the model that they replace and by their own name."""
    models: dict[str, Any] = {}
    for model, behind in settings.overflow_apis.items():
        costs = prices.of(model)
        rules = {
            **_nano(costs.api_input, costs.api_cached_input, costs.api_output),
            "model": behind.model.partition("/")[2],
            # OpenAI's own models reject the older name of the limit.
            "renamed": {"max_tokens": "max_completion_tokens"}
            if behind.provider == "openai"
            else {},
        }
        models |= {model: rules, behind.model: rules}
    return {**_usage(gateway, models), "reserve": True, "dropped": list(_ONLY_VLLM)}


def _overload() -> dict[str, Any]:
    """Rejects new requests before memory runs out."""
    heap, connections = (
        "envoy.resource_monitors.fixed_heap",
        "envoy.resource_monitors.global_downstream_max_connections",
    )

    def action(name: str, share: float) -> dict[str, Any]:
        trigger = {"name": heap, "threshold": {"value": share}}
        return {"name": f"envoy.overload_actions.{name}", "triggers": [trigger]}

    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                heap,
                "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=MEMORY_BYTES * 8 // 10,
            ),
            extension(
                connections,
                "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=_CONNECTIONS,
            ),
        ],
        "actions": [
            action("shrink_heap", 0.85),
            action("stop_accepting_requests", 0.9),
            action("stop_accepting_connections", 0.95),
        ],
    }
