"""The parts of network policies, for rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.policy.manifest import (
    Pod,
    Resource,
    Scope,
    Unknown,
    has_unknown,
    listed,
    mapped,
)
from breakeven.policy.selectors import matches


def policies_of(scope: Scope, namespace: str) -> Iterator[Resource]:
    """Yields the network policies of a namespace, and those whose namespace is unknown."""
    return (
        policy
        for policy in scope.resources
        if policy.is_network_policy and same(policy.namespace, namespace)
    )


def is_known_policy(resource: Resource) -> bool:
    """Tells whether a resource is a fully known network policy."""
    return resource.is_network_policy and not has_unknown(resource.manifest.get("spec"))


def is_judged(resource: Resource, _scope: Scope) -> bool:
    """Tells whether a resource is a network policy that rules can check."""
    return is_known_policy(resource)


def same(one: str, other: str) -> bool:
    """Tells whether two namespaces are, or can turn out to be, the same."""
    return one == other or "?" in (one, other)


def neighbors(resource: Resource, scope: Scope) -> list[Pod]:
    """Returns the pods of a resource's own namespace."""
    return [
        pod
        for other in scope.resources
        for pod in other.pods
        if same(pod.namespace, resource.namespace)
    ]


def directions(policy: Resource) -> frozenset[str]:
    """Returns the directions that a policy restricts.

    Without policyTypes it restricts Ingress, and Egress if there are egress rules.
    """
    if not is_known_policy(policy):
        return frozenset({"Ingress", "Egress"})
    stated = listed(policy.spec.get("policyTypes"))
    if stated:
        return frozenset(str(item) for item in stated)
    return frozenset({"Ingress", "Egress"} if policy.spec.get("egress") else {"Ingress"})


def selects(policy: Resource, pod: Pod) -> bool:
    """Tells whether a policy selects a pod of its own namespace."""
    if isinstance(pod.labels, Unknown) or not is_known_policy(policy):
        return True
    return matches(policy.spec.get("podSelector"), mapped(pod.labels))


def sides(policy: Resource) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yields every rule of a policy with its side, ingress or egress, and number."""
    for side in ("ingress", "egress"):
        for number, rule in enumerate(listed(policy.spec.get(side))):
            if isinstance(rule, Mapping):
                yield side, number, rule


def peers(side: str, rule: Mapping[str, Any]) -> list[Any]:
    """Returns the peers of a rule; no peer means everybody."""
    return list(listed(rule.get("from" if side == "ingress" else "to")))


def port_name(port: Any) -> str:
    """Returns a port's number or name as text; the engine passes whole numbers as floats."""
    whole = isinstance(port, float) and port.is_integer()
    return str(int(port)) if whole else str(port)
