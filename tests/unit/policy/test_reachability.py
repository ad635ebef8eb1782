"""The evaluator of network policies, against one that asks for single addresses and ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.evaluator import openings, without
from breakeven.policy.manifest import Resource
from breakeven.policy.reachability import exits_of, reachability, workloads_of
from breakeven.settings.files import stack_names
from tests.unit.policy.manifests import scope_of

NAME_LABEL = "kubernetes.io/metadata.name"
NAMESPACES = ("a", "b")
PORTS = (80, 443, 8000)

# ---- a brute-force reference: Kubernetes' documentation, one address and one port at a time


def ref_selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values", [])
        holds = {
            "In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[expression["operator"]]
        if not holds:
            return False
    return True


def ref_port(entry: Mapping[str, Any], port: int, protocol: str, named: Mapping[str, int]) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    stated = entry.get("port")
    if stated is None:
        return True
    if isinstance(stated, str):
        return named.get(stated) == port
    return bool(stated <= port <= entry.get("endPort", stated))


def ref_allows(  # noqa: C901  # one branch for each sentence of the documentation
    policies: list[dict[str, Any]],
    direction: str,
    pod: dict[str, Any],
    *,
    port: int,
    protocol: str,
    named: Mapping[str, int],
    address: str | None = None,
    other: dict[str, Any] | None = None,
) -> bool:
    isolated, side = False, direction.lower()
    for policy in policies:
        spec = policy["spec"]
        types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
        if (
            policy["metadata"]["namespace"] != pod["namespace"]
            or direction not in types
            or not ref_selects(spec["podSelector"], pod["labels"])
        ):
            continue
        isolated = True
        for rule in spec.get(side) or []:
            ports = rule.get("ports") or []
            if ports and not any(ref_port(entry, port, protocol, named) for entry in ports):
                continue
            peers = rule.get("from" if side == "ingress" else "to") or []
            if not peers:
                return True
            for peer in peers:
                block = peer.get("ipBlock")
                if block is not None:
                    if address is not None:
                        ip = ipaddress.ip_address(address)
                        if ip in ipaddress.ip_network(block["cidr"]) and not any(
                            ip in ipaddress.ip_network(cut) for cut in block.get("except", [])
                        ):
                            return True
                elif other is not None:
                    space = peer.get("namespaceSelector")
                    inside = (
                        other["namespace"] == pod["namespace"]
                        if space is None
                        else ref_selects(space, {NAME_LABEL: other["namespace"]})
                    )
                    if inside and ref_selects(peer.get("podSelector") or {}, other["labels"]):
                        return True
    return not isolated


# ---- policies of a small world

labels = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]))
expressions = st.builds(
    lambda key, operator, values: {"key": key, "operator": operator, "values": values},
    st.sampled_from(["app", "tier", "none"]),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2),
)
selectors = st.fixed_dictionaries(
    {"matchLabels": labels}, optional={"matchExpressions": st.lists(expressions, max_size=1)}
)
namespace_selectors: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda name: {"matchLabels": {NAME_LABEL: name}}, st.sampled_from(NAMESPACES)
) | st.just({})
CIDRS = ["8.8.8.0/24", "8.8.8.8/32", "10.0.0.0/8", "0.0.0.0/0", "9.0.0.0/8", "fc00::/7", "::/0"]
ADDRESSES = ["8.8.8.8", "8.8.8.9", "10.1.2.3", "9.9.9.9", "169.254.169.254", "fd00:ec2::254"]
blocks = st.builds(
    lambda cidr, cuts: {
        "ipBlock": {
            "cidr": cidr,
            "except": [
                cut
                for cut in cuts
                if ipaddress.ip_network(cut).version == ipaddress.ip_network(cidr).version
            ],
        }
    },
    st.sampled_from(CIDRS),
    st.lists(st.sampled_from(CIDRS), max_size=2),
)
pod_peers = st.fixed_dictionaries({"podSelector": selectors}) | st.fixed_dictionaries(
    {"namespaceSelector": namespace_selectors}, optional={"podSelector": selectors}
)
port_entries = st.one_of(
    st.builds(lambda port: {"port": port}, st.sampled_from(PORTS)),
    st.builds(lambda port: {"port": port, "protocol": "UDP"}, st.sampled_from(PORTS)),
    st.just({"port": 80, "endPort": 443}),
    st.just({"port": "http"}),
    st.just({"protocol": "UDP"}),
)


def rules(side: str, peers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                ("from" if side == "ingress" else "to"): st.lists(peers, max_size=2),
                "ports": st.lists(port_entries, max_size=2),
            },
        ),
        max_size=2,
    )


def policies_with(peers: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    spec = st.fixed_dictionaries(
        {"podSelector": selectors},
        optional={
            "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
            "ingress": rules("ingress", peers),
            "egress": rules("egress", peers),
        },
    )
    policy = st.builds(
        lambda namespace, body: {
            "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": namespace},
            "spec": body,
        },
        st.sampled_from(NAMESPACES),
        spec,
    )
    return st.lists(policy, max_size=4)


pods = st.fixed_dictionaries(
    {
        "namespace": st.sampled_from(NAMESPACES),
        "labels": labels,
        "http": st.sampled_from([None, *PORTS]),
    }
)


def manifest(pod: dict[str, Any], name: str) -> Resource:
    ports = [] if pod["http"] is None else [{"name": "http", "containerPort": pod["http"]}]
    return Resource(
        {
            "kind": "Pod",
            "metadata": {"name": name, "namespace": pod["namespace"], "labels": pod["labels"]},
            "spec": {"containers": [{"name": "a", "ports": ports}]},
        }
    )


def named(pod: dict[str, Any]) -> dict[str, int]:
    return {} if pod["http"] is None else {"http": pod["http"]}


@given(policies=policies_with(blocks), pod=pods)
def test_networks_that_pods_reach_are_the_addresses_that_the_reference_lets_through(
    policies: list[dict[str, Any]], pod: dict[str, Any]
) -> None:
    [workload] = workloads_of([manifest(pod, "one")])
    ways = openings(workload, [Resource(policy) for policy in policies], "Egress")
    for address in ADDRESSES:
        for protocol in ("TCP", "UDP"):
            for port in PORTS:
                expected = ref_allows(
                    policies,
                    "Egress",
                    pod,
                    port=port,
                    protocol=protocol,
                    named={},  # an address has no named ports
                    address=address,
                )
                found = ways is None or any(
                    ipaddress.ip_address(address) in network and span.holds(protocol, port)
                    for way in ways
                    for network in way.networks
                    for span in way.ports
                )
                assert found == expected, (address, protocol, port)


@given(policies=policies_with(pod_peers), one=pods, two=pods)
def test_pods_reach_each_other_where_the_reference_lets_both_sides(
    policies: list[dict[str, Any]], one: dict[str, Any], two: dict[str, Any]
) -> None:
    resources = [manifest(one, "one"), manifest(two, "two"), *map(Resource, policies)]
    output = reachability(resources).as_output()
    [source] = [item for item in output["workloads"] if item["name"].endswith("/one")]
    spans = [
        span
        for reach in source["reaches"]
        if reach["name"].endswith("/two")
        for span in reach["ports"]
    ]
    for protocol in ("TCP", "UDP"):
        for port in PORTS:
            shared: dict[str, Any] = {"port": port, "protocol": protocol, "named": named(two)}
            expected = ref_allows(policies, "Egress", one, other=two, **shared) and ref_allows(
                policies, "Ingress", two, other=one, **shared
            )
            found = any(_holds(span, protocol, port) for span in spans)
            assert found == expected, (protocol, port)


def _holds(span: str, protocol: str, port: int) -> bool:
    if span.startswith("all "):
        return span == f"all {protocol}"
    numbers, _, kind = span.partition("/")
    low, _, high = numbers.partition("-")
    return kind == protocol and int(low) <= port <= int(high or low)


@given(
    whole=st.sampled_from(CIDRS),
    cuts=st.lists(st.sampled_from([*CIDRS, "8.8.8.0/30", "10.9.0.0/16"]), max_size=4),
)
def test_the_rest_of_a_split_network_is_exact(whole: str, cuts: list[str]) -> None:
    left = without(ipaddress.ip_network(whole), [ipaddress.ip_network(cut) for cut in cuts])
    for text in (*ADDRESSES, "8.8.8.1", "10.9.0.1", "::1"):
        address = ipaddress.ip_address(text)
        expected = address in ipaddress.ip_network(whole) and not any(
            address in ipaddress.ip_network(cut) for cut in cuts
        )
        assert any(address in network for network in left) == expected


@pytest.mark.parametrize("stack", stack_names())
def test_pods_that_serve_reach_nothing_and_nothing_reaches_a_metadata_service(stack: str) -> None:
    resources, settings = manifests_of_stack(stack)
    result = reachability(resources)
    serving = {way for way in result.exits if way.workload.startswith("Deployment/llm/model")}
    assert not serving
    assert not [way for way in result.exits if way.kind == "metadata"]
    if settings.network.is_air_gapped:
        assert not result.exits


def test_the_matrix_says_what_is_open_by_which_port() -> None:
    change = {
        "NetworkPolicy/server spec egress": [
            {"to": [{"ipBlock": {"cidr": "8.8.8.0/24"}}], "ports": [{"port": 443}]}
        ]
    }
    [row] = reachability(scope_of(change).resources).as_output()["workloads"]
    assert row["publicAddresses"] is True
    assert row["metadataService"] is False
    assert row["outsideDns"] is False
    assert row["otherNamespaces"] == []
    assert row["exits"] == [{"to": "8.8.8.0/24", "ports": ["443/TCP"], "kind": "public"}]


@pytest.mark.parametrize("stack", ["dev", "hybrid", "two-models"])
def test_what_one_resource_opens_is_what_the_whole_picture_says_of_it(stack: str) -> None:
    resources, _ = manifests_of_stack(stack)
    whole = reachability(resources).exits
    assert whole
    for resource in resources:
        own = exits_of(resource, resources)
        assert set(own) == {way for way in whole if way.workload == resource.reference}


def test_pods_on_the_hosts_network_are_held_back_by_no_policy() -> None:
    [row] = reachability(scope_of({"pod hostNetwork": True}).resources).as_output()["workloads"]
    assert row["publicAddresses"] is True
    assert row["metadataService"] is True
    assert row["otherNamespaces"] == ["*"]
