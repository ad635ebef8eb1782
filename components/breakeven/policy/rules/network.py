"""Network policies: default deny, peers, metadata services, DNS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.addresses import METADATA, Address, network_of
from breakeven.policy.manifest import (
    WORKLOADS,
    Resource,
    Scope,
    Unknown,
    at,
    listed,
    mapped,
)
from breakeven.policy.rule import Rule, Violation, about
from breakeven.policy.rules.containers import has_pods, shown
from breakeven.policy.rules.network_policies import (
    directions,
    is_judged,
    is_known_policy,
    neighbors,
    peers,
    policies_of,
    port_name,
    selects,
    sides,
)
from breakeven.policy.selectors import NAMESPACE_LABEL, is_empty, matches, names_values

_NARROWEST_OPEN = 8
"""Shortest prefix that can have one owner: IANA allocates at most a /8 of IPv4."""

_POLICY_KINDS = (
    "NetworkPolicy",
    "EgressFirewall",
    "EgressGatewayPolicy",
    "LocalRedirectPolicy",
    "NetworkAttachmentDefinition",
    "Tier",
)
"""Kinds of other projects that allow more than NetworkPolicies do, or override them."""


_FURTHER_NETWORKS = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
"""Annotations by which a pod gets an interface to which no NetworkPolicy applies."""


@about(lambda resource, _scope: resource.kind == "Namespace" or bool(resource.pods))
def _default_deny(resource: Resource, scope: Scope) -> Iterator[Violation]:
    namespace = resource.name if resource.kind == "Namespace" else resource.namespace
    closed = _closed(scope, namespace)
    for way in ("Ingress", "Egress"):
        if way not in closed:
            yield Violation(
                f"namespace {namespace}", f"no policy denies all {way.lower()} by default"
            )


def _closed(scope: Scope, namespace: str) -> frozenset[str]:
    """Returns the directions that some policy denies for all pods of a namespace."""
    closed = {"Ingress", "Egress"} if namespace == "?" else set()
    for policy in policies_of(scope, namespace):
        if not is_known_policy(policy):
            closed |= {"Ingress", "Egress"}
        elif is_empty(policy.spec.get("podSelector")):
            closed |= {
                way for way in directions(policy) if not listed(policy.spec.get(way.lower()))
            }
    return frozenset(closed)


@about(has_pods)
def _selected(resource: Resource, scope: Scope) -> Iterator[Violation]:
    for pod in resource.pods:
        selecting = [policy for policy in policies_of(scope, pod.namespace) if selects(policy, pod)]
        for way in ("Ingress", "Egress"):
            if not any(way in directions(policy) for policy in selecting):
                yield Violation(pod.path, f"no policy selects the pod for {way.lower()}")
        for name, value in mapped(pod.annotations).items():
            if name in _FURTHER_NETWORKS:
                yield Violation(f"metadata.annotations[{name}]", shown(value))


@about(is_judged)
def _no_open_rule(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if any(sides(resource)) and not names_values(resource.spec.get("podSelector")):
        yield Violation("spec.podSelector", "selects every pod and allows traffic")
    for side, number, rule in sides(resource):
        path, named = f"spec.{side}[{number}]", peers(side, rule)
        if not named:
            yield Violation(path, "names no peer, which allows everybody")
        for peer in named:
            yield from _open_peer(path, side, peer)


def _open_peer(path: str, side: str, peer: Any) -> Iterator[Violation]:
    if not {"namespaceSelector", "podSelector", "ipBlock"} & set(mapped(peer)):
        yield Violation(path, "an empty peer")
    selector = at(peer, "namespaceSelector")
    if "namespaceSelector" in mapped(peer) and not names_values(selector):
        yield Violation(path, "namespaceSelector that matches every namespace")
    network = network_of(at(peer, "ipBlock", "cidr"))
    # Two halves make a whole: any public network that has no single owner counts as "everybody".
    if side == "ingress" and network is not None and network.prefixlen < _NARROWEST_OPEN:
        yield Violation(path, f"ipBlock {network}")


@about(lambda resource, _scope: resource.kind.endswith(_POLICY_KINDS))
def _only_known_kinds(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if not resource.is_network_policy:
        yield Violation("kind", f"{resource.kind} of {resource.group or 'no API group'}")


@about(is_judged)
def _both_ways(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for way in ("Ingress", "Egress"):
        if way not in listed(resource.spec.get("policyTypes")):
            yield Violation("spec.policyTypes", f"without {way}")


@about(is_judged)
def _metadata_blocked(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for side, number, rule in sides(resource):
        if side != "egress":
            continue
        for peer in peers(side, rule):
            for address in METADATA:
                if _block_contains(at(peer, "ipBlock"), address):
                    yield Violation(f"spec.egress[{number}]", f"reaches {address}")


def _block_contains(block: Any, address: Address) -> bool:
    """Tells whether an ipBlock holds an address, and none of its exceptions does."""
    whole = network_of(at(block, "cidr"))
    if whole is None or address not in whole:
        return False
    return not any(
        (cut := network_of(entry)) is not None and address in cut
        for entry in listed(at(block, "except"))
    )


@about(is_judged)
def _dns(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for side, number, rule in sides(resource):
        ports = [port_name(at(port, "port")) for port in listed(rule.get("ports"))]
        if side != "egress" or not {"53", "dns"} & set(ports):
            continue
        for peer in peers(side, rule):
            labels = mapped(at(peer, "namespaceSelector", "matchLabels"))
            if labels.get(NAMESPACE_LABEL) != "kube-system" or is_empty(at(peer, "podSelector")):
                yield Violation(f"spec.egress[{number}]", f"asks {shown(dict(mapped(peer)))}")


@about(is_judged)
def _no_dangling(resource: Resource, scope: Scope) -> Iterator[Violation]:
    pods = neighbors(resource, scope)
    if any(not workload.pods for workload in scope.of(*WORKLOADS)):
        return  # whose pods are not known yet, so the selector can match them
    selectors = [("spec.podSelector", resource.spec.get("podSelector"))]
    for side, number, rule in sides(resource):
        selectors += [
            (f"spec.{side}[{number}].podSelector", at(peer, "podSelector"))
            for peer in peers(side, rule)
            if at(peer, "namespaceSelector") is None and at(peer, "podSelector") is not None
        ]
    for path, selector in selectors:
        if not is_empty(selector) and not any(
            isinstance(pod.labels, Unknown) or matches(selector, mapped(pod.labels)) for pod in pods
        ):
            yield Violation(path, f"selects no pod: {shown(dict(mapped(selector)))}")


RULES = (
    Rule(
        id="network-default-deny",
        what="Every namespace with pods denies all traffic in both directions by default.",
        do="Add a NetworkPolicy with an empty podSelector, policyTypes Ingress and Egress, and no "
        "rules.",
        theme="network-boundary",
        check=_default_deny,
        needs_all=True,
        controls={"CIS": ("5.3.2",), "NSA": ("C-0030",), "Kubescape": ("C-0260",)},
    ),
    Rule(
        id="network-selects-workload",
        what="Every pod is selected by a network policy in both directions, and has no further "
        "network to which none applies.",
        do="Add a NetworkPolicy that selects the pod's labels; remove the annotation of Multus.",
        theme="network-boundary",
        check=_selected,
        needs_all=True,
        controls={"CIS": ("5.3.2",), "Kubescape": ("C-0260",), "Checkov": ("CKV2_K8S_6",)},
    ),
    Rule(
        id="network-no-open-rule",
        what="Every network policy that allows traffic selects pods and names peers: never all "
        "namespaces or, "
        "for ingress, all addresses.",
        do="Select namespaces by the label kubernetes.io/metadata.name, pods by labels, and "
        "networks by CIDR.",
        theme="network-boundary",
        check=_no_open_rule,
        controls={"CIS": ("5.3.2",), "Kubescape": ("C-0260",)},
    ),
    Rule(
        id="network-known-kinds",
        what="Only Kubernetes NetworkPolicies control traffic. Policies of other projects can "
        "allow what these "
        "deny, and no rule reads them.",
        do="Use a NetworkPolicy, or review the policy and waive the rule for it.",
        theme="network-boundary",
        check=_only_known_kinds,
    ),
    Rule(
        id="network-both-ways",
        what="Every network policy restricts both directions.",
        do="Set policyTypes to [Ingress, Egress].",
        theme="network-boundary",
        check=_both_ways,
        controls={"CIS": ("5.3.2",), "Kubescape": ("C-0260",)},
    ),
    Rule(
        id="network-metadata-blocked",
        what="No network policy lets a pod reach a cloud's metadata or credentials service.",
        do="Add these addresses to the except list of the ipBlock: "
        f"{', '.join(map(str, METADATA))}.",
        theme="egress",
        check=_metadata_blocked,
        controls={"Kubescape": ("C-0052",)},
    ),
    Rule(
        id="network-dns-cluster-only",
        what="Pods send DNS queries only to the cluster's DNS pods.",
        do="In the rule for port 53, select the namespace kube-system and the labels of the DNS "
        "pods.",
        theme="egress",
        check=_dns,
    ),
    Rule(
        id="network-no-dangling",
        what="Every selector of a network policy matches a pod of the stack.",
        do="Correct the labels. A policy that selects no pod protects nothing.",
        theme="network-boundary",
        check=_no_dangling,
        needs_all=True,
    ),
)
