"""What would lower the bill, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breakeven.cost.levers import Lever, LeverKind

_NAMES: Mapping[LeverKind, str] = MappingProxyType(
    {
        "precision": "Lower weight precision",
        "kv-cache": "KV cache in fp8",
        "speculation": "Speculative decoding",
        "disaggregation": "Prefill/decode disaggregation",
        "kv-offload": "KV cache offloaded to node memory",
        "prefix-affinity": "Gateway with prefix affinity",
        "commitment": "Commitment",
        "spot": "Spot nodes",
        "gpu": "Other machines",
        "region": "Other region",
        "autoscaling": "Autoscaling",
        "hybrid": "API for a share of the requests",
        "schedule": "Schedule",
        "fewer-replicas": "Lower minimum of replicas",
        "more-replicas": "Higher minimum of replicas",
        "target-requests": "More requests per replica",
        "scale-down": "Longer scale-down",
    }
)
_CAVEATS: Mapping[LeverKind, str] = MappingProxyType(
    {
        "precision": "A lower precision can change answers: compare them first.",
        "kv-cache": "An fp8 cache can change answers to long prompts: compare them first.",
        "speculation": "The acceptance rate depends on your texts: measure it and set "
        "engine.speculation.acceptancePercent.",
        "disaggregation": "The saving from disaggregation is unverified: no measurement was "
        "compared with the estimate. Breakeven does not deploy it. A lower max-num-batched-tokens "
        "in engine.args also shortens the time between tokens: try that first (docs/vllm.md).",
        "kv-offload": "The saving from offloading depends on traffic.reuseSeconds; the time to "
        "read the cache back is not included.",
        "prefix-affinity": "The saving from prefix affinity depends on traffic.reuseSeconds; name "
        "your own teams in gateway.teams, each with a key in gateway.teamKeysSecret.",
        "commitment": "A commitment is paid for its whole term, even if no nodes are running.",
        "spot": "Spot prices change and spot nodes are interrupted; the estimate includes "
        "pool.spotInterruptionsPerMonth interruptions.",
        "region": "Another region can be farther from clients and subject to other laws.",
        "hybrid": "The API in use then serves a share of the requests; its answers can differ.",
    }
)


def lever_name(lever: Lever) -> str:
    """Returns what a lever is."""
    return _NAMES[lever.kind]


def lever_settings(lever: Lever) -> str:
    """Returns the settings to state, as a stack file has them."""
    return ", ".join(f"{key} {_value(value)}" for key, value in lever.settings.items())


def lever_notes(levers: tuple[Lever, ...]) -> tuple[str, ...]:
    """Returns the savings, and the caveats of each kind."""
    if not levers:
        return ("None of the tried settings lowers the bill and meets every objective.",)
    rule = (
        "Each saving is estimated separately, with only that change; savings do not add up. "
        "Each option meets the latency objectives, fits in memory, and has a current price."
    )
    return (rule, *(_CAVEATS[each.kind] for each in levers if each.kind in _CAVEATS))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
