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
        "speculation": "How many proposed tokens are accepted depends on your texts: measure it "
        "and state engine.speculation.acceptancePercent.",
        "kv-offload": "The saving from offloading depends on traffic.reuseSeconds; the time to "
        "read the cache back is not counted.",
        "prefix-affinity": "The saving from prefix affinity depends on traffic.reuseSeconds; name "
        "your own teams in gateway.teams, each with a key in gateway.teamKeysSecret.",
        "commitment": "A commitment is paid for its whole term, whether nodes run or not.",
        "spot": "Spot prices change and spot nodes are interrupted; the interruptions of "
        "pool.spotInterruptionsPerMonth are counted.",
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
    """Says what the savings are, and what each kind asks for besides."""
    if not levers:
        return ("No tried setting lowers the bill and keeps every objective.",)
    rule = (
        "Each is estimated alone: this stack with only that change; savings do not add up. Each "
        "keeps the latency objectives, fits in memory, and has a current price."
    )
    return (rule, *(_CAVEATS[each.kind] for each in levers if each.kind in _CAVEATS))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
