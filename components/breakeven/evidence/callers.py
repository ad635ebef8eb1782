"""Who may call the model: by the network, by a key, and whether anybody can tell afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from breakeven.policy.evaluator import Opening, Workload, openings
from breakeven.policy.manifest import Resource, mapped
from breakeven.policy.reachability import workloads_of
from breakeven.settings.stack import Stack


def callers(resources: Sequence[Resource], stack: Stack) -> dict[str, Any]:
    """Returns who may call the model, by network policies, Services, keys and teams.

    Args:
        resources: Everything that the stack deploys.
        stack: Its settings, for the names of Secrets and teams.
    """
    policies = [resource for resource in resources if resource.is_network_policy]
    return {
        "transport": stack.entry_scheme,
        "byNetwork": [
            {"workload": workload.name, "from": source, "ports": list(ports)}
            for workload in workloads_of(resources)
            for source, ports in _into(workload, openings(workload, policies, "Ingress"))
        ],
        "entries": [
            {"name": resource.reference, "type": str(resource.spec.get("type") or "ClusterIP")}
            for resource in resources
            if resource.kind == "Service"
        ],
        "byKey": list(_keys(stack)),
        "recordsWhoAsked": stack.gateway.is_on,
    }


def _into(
    workload: Workload, ways: Sequence[Opening] | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields who reaches a workload, and by which ports."""
    if ways is None:
        yield "everybody, because no network policy selects these pods", ("all",)
        return
    for way in ways:
        ports = tuple(str(port) for port in way.ports_of(workload))
        for source in _sources(way):
            yield source, ports


def _sources(way: Opening) -> Iterator[str]:
    if way.peer is None:
        yield from (f"network {network}" for network in way.networks)
        return
    labels = mapped(mapped(way.peer.get("podSelector")).get("matchLabels"))
    pods = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    yield f"namespace {way.namespace()}, " + (f"pods {pods}" if pods else "all pods")


def _keys(stack: Stack) -> Iterator[dict[str, Any]]:
    """Yields who has which key; Secrets by name and entry, never by value."""
    if not stack.gateway.is_on:
        for secret in dict.fromkeys(model.engine.api_key_secret for model in stack.models):
            yield {"caller": "everybody with the key", "secret": f"{secret}/api-key"}
        return
    for name, team in stack.gateway.teams.items():
        yield {
            "caller": f"team {name}",
            "secret": f"{stack.gateway.team_keys_secret}/{name}",
            "dataMayLeave": team.data_may_leave and stack.network.data_may_leave,
            "tokensPerDay": team.tokens_per_day,
            "usdPerMonth": None if team.usd_per_month is None else str(team.usd_per_month),
        }
