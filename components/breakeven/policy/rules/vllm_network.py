"""Who can call a vLLM server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.addresses import is_inside, network_of
from breakeven.policy.manifest import (
    UNKNOWN,
    Container,
    Pod,
    Resource,
    Scope,
    Unknown,
    at,
    listed,
    mapped,
)
from breakeven.policy.rule import Rule, Violation, about
from breakeven.policy.rules.command_lines import flags
from breakeven.policy.rules.containers import shown
from breakeven.policy.rules.network_policies import (
    is_known_policy,
    peers,
    policies_of,
    port_name,
    selects,
    sides,
)
from breakeven.policy.rules.vllm_commands import is_server, vllm_containers
from breakeven.policy.selectors import NAMESPACE_LABEL, is_empty, matches


@about(is_server)
def _named_callers(resource: Resource, scope: Scope) -> Iterator[Violation]:
    for pod, _ in vllm_containers(resource):
        for policy, number, rule in _ingress(pod, scope):
            path = f"{policy.reference} ingress[{number}]"
            own = all(_is_own(peer, pod) for peer in peers("ingress", rule))
            # The nodes of one replica choose the ports between them at startup.
            if not listed(rule.get("ports")) and not own:
                yield Violation(path, "names no port")
            for peer in peers("ingress", rule):
                if not _is_named(peer):
                    yield Violation(path, shown(dict(mapped(peer))))


def _is_named(peer: Any) -> bool:
    cidr = at(peer, "ipBlock", "cidr")
    if cidr is not None:
        network = network_of(cidr)
        return network is not None and is_inside(network)
    namespaces = at(peer, "namespaceSelector")
    if namespaces is None:
        return not is_empty(at(peer, "podSelector"))
    return at(namespaces, "matchLabels", NAMESPACE_LABEL) is not None


@about(is_server)
def _internal_ports(resource: Resource, scope: Scope) -> Iterator[Violation]:
    for pod, container in vllm_containers(resource):
        served = _served(container)
        # Only the first node of a replica answers requests; the others have the same ports.
        if str(UNKNOWN) in served or "--headless" in flags(container):
            continue
        for policy, number, rule in _ingress(pod, scope):
            ports = {port_name(at(port, "port")) for port in listed(rule.get("ports"))}
            internal = sorted(ports - served)
            if internal and not all(_is_own(peer, pod) for peer in peers("ingress", rule)):
                yield Violation(
                    f"{policy.reference} ingress[{number}]", f"port {', '.join(internal)}"
                )


def _served(container: Container) -> set[str]:
    stated = container.spec.get("ports")
    declared = [stated] if isinstance(stated, Unknown) else listed(stated)
    return {port_name(at(port, key)) for port in declared for key in ("containerPort", "name")}


def _is_own(peer: Any, pod: Pod) -> bool:
    selector = at(peer, "podSelector")
    if at(peer, "namespaceSelector") is not None or is_empty(selector):
        return False
    return isinstance(pod.labels, Unknown) or matches(selector, mapped(pod.labels))


def _ingress(pod: Pod, scope: Scope) -> Iterator[tuple[Resource, int, Mapping[str, Any]]]:
    for policy in policies_of(scope, pod.namespace):
        if is_known_policy(policy) and selects(policy, pod):
            for side, number, rule in sides(policy):
                if side == "ingress":
                    yield policy, number, rule


RULES = (
    Rule(
        id="vllm-named-callers",
        what="Only named clients can reach vLLM, because its API key does not protect every "
        "path (vllm#58144).",
        do="In ingress rules, name the port, and select peers by namespace, by labels or by a "
        "private network.",
        theme="network-boundary",
        check=_named_callers,
        needs_all=True,
        controls={"Kubescape": ("C-0260",)},
    ),
    Rule(
        id="vllm-internal-ports",
        what="The unauthenticated ports between the pods of a replica are open only to those pods.",
        do="Put these ports into a separate ingress rule whose peer is the pods' own labels.",
        theme="network-boundary",
        check=_internal_ports,
        needs_all=True,
    ),
)
