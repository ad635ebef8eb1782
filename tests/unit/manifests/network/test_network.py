"""Network rules, judged by a small evaluator: who can reach whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any

import pytest

from breakeven.manifests.gateway.labels import EGRESS_LABELS, GATEWAY_LABELS, STORE_LABELS
from breakeven.manifests.network.namespace import namespace_component
from breakeven.manifests.network.rules import network_component
from breakeven.manifests.serving.labels import ENGINE_LABELS, WEIGHTS_LABELS
from tests.each import each
from tests.recording import (
    FETCHING,
    STACKS,
    Registration,
    as_key,
    resources_of,
    settings_of,
    stack_of,
)

NAMESPACE = "kubernetes.io/metadata.name"
DNS_PODS = {"k8s-app": "kube-dns"}


def rules_of(stack: str, **overrides: object) -> list[Mapping[str, Any]]:
    return _rules(stack, as_key(overrides))


@cache
def _rules(stack: str, overrides: tuple[tuple[str, str], ...]) -> list[Mapping[str, Any]]:
    read = stack_of(stack, **dict(overrides))
    registration = resources_of(network_component("network", read))
    return [policy.spec for policy in registration.of("NetworkPolicy")]


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    return selector is None or (selector.get("matchLabels") or {}).items() <= labels.items()


def peer_matches(
    peer: Mapping[str, Any], *, address: str, namespace: str | None, labels: Mapping[str, str]
) -> bool:
    if "ipBlock" in peer:
        ip = ipaddress.ip_address(address)
        block = peer["ipBlock"]
        return ip in ipaddress.ip_network(block["cidr"]) and not any(
            ip in ipaddress.ip_network(network) for network in block.get("except", [])
        )
    if namespace is None:  # not a pod
        return False
    in_namespace = (
        matches(peer["namespaceSelector"], {NAMESPACE: namespace})
        if "namespaceSelector" in peer
        else namespace == "llm"
    )
    return in_namespace and matches(peer.get("podSelector"), labels)


def allowed(
    rules: list[Mapping[str, Any]],
    direction: str,
    pod: Mapping[str, str],
    *,
    port: int,
    protocol: str = "TCP",
    address: str = "192.0.2.1",
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> bool:
    """Kubernetes' own rule: once a policy selects a pod, only what some policy names is allowed."""
    selecting = [
        rule
        for rule in rules
        if direction in rule["policyTypes"] and matches(rule["podSelector"], pod)
    ]
    side, peers_key = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    if not selecting:
        return True
    for rule in selecting:
        for entry in rule.get(side) or []:
            ports = entry.get("ports")
            if ports and not any(
                item["port"] == port and item.get("protocol", "TCP") == protocol for item in ports
            ):
                continue
            peers = entry.get(peers_key)
            if not peers or any(
                peer_matches(peer, address=address, namespace=namespace, labels=labels or {})
                for peer in peers
            ):
                return True
    return False


PUBLIC = ["8.8.8.8", "1.1.1.1", "18.160.0.1", "2600:9000::1"]
NOT_PUBLIC = [
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "169.254.170.23",
    "172.20.0.1",
    "192.168.1.1",
    "fd00:ec2::254",
    "64:ff9b::a00:1",  # 10.0.0.1 by NAT64
    "2002:a00:1::1",  # 10.0.0.1 by 6to4
    "fe80::1",
    "::1",
]


@pytest.mark.parametrize("stack", STACKS)
class TestEveryStack:
    @each("address, port", product([*PUBLIC, *NOT_PUBLIC], [53, 80, 443, 8000]))
    def test_prompts_have_no_way_out(self, stack: str, address: str, port: int) -> None:
        for protocol in ("TCP", "UDP"):
            assert not allowed(
                rules_of(stack),
                "Egress",
                ENGINE_LABELS,
                port=port,
                protocol=protocol,
                address=address,
            )

    def test_the_engine_asks_a_name_server_only_for_its_other_nodes(self, stack: str) -> None:
        several = settings_of(stack).engine.pipeline_parallel > 1
        assert several is allowed(
            rules_of(stack),
            "Egress",
            ENGINE_LABELS,
            port=53,
            protocol="UDP",
            namespace="kube-system",
            labels=DNS_PODS,
        )

    def test_clients_and_prometheus_reach_the_engine_and_nobody_else(self, stack: str) -> None:
        rules, settings = rules_of(stack), settings_of(stack)
        clients = set(settings.network.client_namespaces)
        expected = {settings.monitoring.namespace} if settings.monitoring.enabled else set()
        if not settings.gateway.is_hybrid:
            expected |= clients
        for namespace in (*expected, *clients, "kube-system", "llm", "elsewhere"):
            reached = allowed(rules, "Ingress", ENGINE_LABELS, port=8000, namespace=namespace)
            assert reached is (namespace in expected), namespace

    def test_only_one_port_of_the_engine_is_open(self, stack: str) -> None:
        [client, *_] = settings_of(stack).network.client_namespaces
        assert not allowed(rules_of(stack), "Ingress", ENGINE_LABELS, port=22, namespace=client)

    def test_any_other_pod_of_the_namespace_is_alone(self, stack: str) -> None:
        rules, stranger = rules_of(stack), {"app": "debug"}
        assert not allowed(rules, "Egress", stranger, port=443, address="8.8.8.8")
        assert not allowed(rules, "Egress", stranger, port=8000, namespace="llm")
        assert not allowed(rules, "Ingress", stranger, port=80, namespace="default")


@pytest.mark.parametrize("stack", FETCHING)
class TestEveryStackThatFetches:
    @each("address", PUBLIC)
    def test_weights_come_from_the_internet_by_https_only(self, stack: str, address: str) -> None:
        rules = rules_of(stack)
        assert allowed(rules, "Egress", WEIGHTS_LABELS, port=443, address=address)
        assert not allowed(rules, "Egress", WEIGHTS_LABELS, port=80, address=address)

    @each("address", NOT_PUBLIC)
    def test_the_download_reaches_nothing_private(self, stack: str, address: str) -> None:
        assert not allowed(rules_of(stack), "Egress", WEIGHTS_LABELS, port=443, address=address)

    def test_the_download_asks_the_clusters_name_servers_and_no_other_pod(self, stack: str) -> None:
        rules = rules_of(stack)
        for protocol in ("UDP", "TCP"):
            for namespace, labels, expected in (
                ("kube-system", DNS_PODS, True),
                ("kube-system", {"k8s-app": "metrics-server"}, False),
                ("elsewhere", DNS_PODS, False),
            ):
                asked = allowed(
                    rules,
                    "Egress",
                    WEIGHTS_LABELS,
                    port=53,
                    protocol=protocol,
                    namespace=namespace,
                    labels=labels,
                )
                assert asked is expected

    def test_nobody_calls_the_download(self, stack: str) -> None:
        rules = rules_of(stack)
        [client, *_] = settings_of(stack).network.client_namespaces
        assert not allowed(rules, "Ingress", WEIGHTS_LABELS, port=8000, namespace=client)


def test_without_callers_the_engine_is_closed_and_not_open() -> None:
    # An ingress rule with an empty list of peers would let everybody in.
    rules = rules_of("article", **{"network.clientNamespaces": [], "monitoring.enabled": False})
    for namespace in ("default", "monitoring", "llm"):
        assert not allowed(rules, "Ingress", ENGINE_LABELS, port=8000, namespace=namespace)
    assert not allowed(rules, "Ingress", ENGINE_LABELS, port=8000, address="10.0.0.1")


def test_networks_of_clients_count_only_behind_a_load_balancer() -> None:
    behind = rules_of("aws-prod")
    inside = rules_of("aws-prod", **{"network.exposure": "cluster", "network.clientNetworks": []})
    for rules, address, expected in (
        (behind, "10.9.8.7", True),
        (behind, "11.0.0.1", False),
        (inside, "10.9.8.7", False),
    ):
        reached = allowed(rules, "Ingress", ENGINE_LABELS, port=8000, address=address)
        assert reached is expected


def test_prometheus_is_let_in_for_scaling_even_without_alerts() -> None:
    rules = rules_of("dev", **{"monitoring.enabled": False})
    assert allowed(rules, "Ingress", ENGINE_LABELS, port=8000, namespace="monitoring")


@pytest.mark.parametrize("stack", STACKS)
def test_exceptions_lie_inside_the_network_that_they_are_cut_from(stack: str) -> None:
    # Kubernetes refuses others.
    for rule in rules_of(stack):
        for entry in rule.get("egress") or []:
            for block in (peer["ipBlock"] for peer in entry["to"] if "ipBlock" in peer):
                whole = ipaddress.ip_network(block["cidr"])
                for text in block["except"]:
                    network = ipaddress.ip_network(text)
                    assert network.version == whole.version
                    assert network.prefixlen > whole.prefixlen


class TestGateway:
    def test_only_the_gateway_calls_the_model(self) -> None:
        rules = rules_of("hybrid")
        for labels, expected in (
            (GATEWAY_LABELS, True),
            (STORE_LABELS, False),
            (EGRESS_LABELS, False),
            (WEIGHTS_LABELS, False),
            ({"app": "debug"}, False),
        ):
            reached = allowed(
                rules, "Ingress", ENGINE_LABELS, port=8000, namespace="llm", labels=labels
            )
            assert reached is expected, labels

    def test_clients_reach_the_gateway_and_nobody_else_does(self) -> None:
        rules, settings = rules_of("hybrid"), settings_of("hybrid")
        clients = settings.network.client_namespaces
        for namespace in (*clients, "llm", "monitoring", "elsewhere"):
            reached = allowed(rules, "Ingress", GATEWAY_LABELS, port=8000, namespace=namespace)
            assert reached is (namespace in clients), namespace

    def test_prometheus_reads_the_metrics_and_nobody_else_does(self) -> None:
        rules = rules_of("hybrid")
        for namespace, expected in (("monitoring", True), ("product", False), ("llm", False)):
            reached = allowed(rules, "Ingress", GATEWAY_LABELS, port=9464, namespace=namespace)
            assert reached is expected, namespace

    @pytest.mark.parametrize("address", PUBLIC)
    @pytest.mark.parametrize(("leave", "separate"), [(True, True), (True, False), (False, True)])
    def test_one_set_of_pods_leaves_at_the_most(
        self, address: str, leave: bool, separate: bool
    ) -> None:
        """Where what stays inside is separated it is the set that sees none of it."""
        settings = {"network.dataMayLeave": leave, "gateway.separateInside": separate}
        rules = rules_of("hybrid", **settings)
        for labels, expected in (
            (GATEWAY_LABELS, leave and not separate),
            (EGRESS_LABELS, leave and separate),
        ):
            reached = allowed(rules, "Egress", labels, port=443, address=address)
            assert reached is expected, labels
            assert not allowed(rules, "Egress", labels, port=80, address=address)

    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_the_gateway_reaches_nothing_else_that_is_private(self, address: str) -> None:
        for labels in (GATEWAY_LABELS, EGRESS_LABELS):
            assert not allowed(rules_of("hybrid"), "Egress", labels, port=443, address=address)

    def test_in_mode_self_host_a_gateway_may_be_called_and_lets_nothing_out(self) -> None:
        settings = {
            "gateway.enabled": True,
            "gateway.teams": {"chat": {}, "legal": {"dataMayLeave": False}},
            "network.clientNamespaces": ["chat"],
        }
        rules = rules_of("dev", **settings)
        assert allowed(rules, "Ingress", GATEWAY_LABELS, port=8000, namespace="chat")
        assert not allowed(rules, "Ingress", ENGINE_LABELS, port=8000, namespace="chat")
        assert not allowed(rules, "Egress", GATEWAY_LABELS, port=443, address="8.8.8.8")

    def test_only_the_gateway_calls_the_way_out_which_reaches_nobody_inside(self) -> None:
        rules = rules_of("hybrid")
        for labels, expected in (
            (GATEWAY_LABELS, True),
            (ENGINE_LABELS, False),
            (STORE_LABELS, False),
        ):
            reached = allowed(
                rules, "Ingress", EGRESS_LABELS, port=8002, namespace="llm", labels=labels
            )
            assert reached is expected, labels
        for port, labels in ((8000, ENGINE_LABELS), (8081, STORE_LABELS), (8000, GATEWAY_LABELS)):
            assert not allowed(
                rules, "Egress", EGRESS_LABELS, port=port, namespace="llm", labels=labels
            ), labels

    def test_the_gateway_reaches_model_and_store(self) -> None:
        rules = rules_of("hybrid")
        for port, labels in ((8000, ENGINE_LABELS), (8081, STORE_LABELS)):
            assert allowed(
                rules, "Egress", GATEWAY_LABELS, port=port, namespace="llm", labels=labels
            )

    def test_only_the_gateway_calls_the_store_which_calls_nobody(self) -> None:
        rules = rules_of("hybrid")
        for labels, expected in ((GATEWAY_LABELS, True), (ENGINE_LABELS, False)):
            reached = allowed(
                rules, "Ingress", STORE_LABELS, port=8081, namespace="llm", labels=labels
            )
            assert reached is expected
        assert not allowed(rules, "Egress", STORE_LABELS, port=443, address="8.8.8.8")

    @pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "hybrid"])
    def test_without_a_gateway_there_is_no_rule_for_one(self, stack: str) -> None:
        rules = rules_of(stack)
        assert not allowed(rules, "Egress", GATEWAY_LABELS, port=443, address="8.8.8.8")


def namespace_of(stack: str) -> Registration:
    return resources_of(namespace_component("namespace", stack_of(stack)))


@pytest.mark.parametrize("mode", ["enforce", "audit", "warn"])
def test_only_restricted_pods_start_in_the_namespace(mode: str) -> None:
    labels = namespace_of("dev").one("Namespace").metadata["labels"]
    assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def traced(stack: str, endpoint: str, **where: Any) -> bool:
    rules = rules_of(stack, **{"monitoring.tracingEndpoint": endpoint})
    return allowed(rules, "Egress", ENGINE_LABELS, **where)


@pytest.mark.parametrize("stack", STACKS)
class TestTraces:
    def test_a_service_is_reached_on_its_port_and_by_its_name(self, stack: str) -> None:
        endpoint = "http://otel.obs.svc:4317"
        assert traced(stack, endpoint, port=4317, namespace="obs")
        assert not traced(stack, endpoint, port=443, namespace="obs")
        assert not traced(stack, endpoint, port=4317, namespace="elsewhere")
        assert not traced(stack, endpoint, port=4317, address="8.8.8.8")
        dns = {"port": 53, "protocol": "UDP", "namespace": "kube-system", "labels": DNS_PODS}
        assert traced(stack, endpoint, **dns)

    @pytest.mark.parametrize(
        ("host", "address", "other"),
        [("10.1.2.3", "10.1.2.3", "10.1.2.4"), ("[fd00::7]", "fd00::7", "fd00::8")],
    )
    def test_an_address_is_reached_alone(
        self, stack: str, host: str, address: str, other: str
    ) -> None:
        endpoint = f"http://{host}:4317"
        assert traced(stack, endpoint, port=4317, address=address)
        assert not traced(stack, endpoint, port=4317, address=other)
        assert not traced(stack, endpoint, port=443, address=address)
        dns = {"port": 53, "protocol": "UDP", "namespace": "kube-system", "labels": DNS_PODS}
        several = settings_of(stack).engine.pipeline_parallel > 1
        assert traced(stack, endpoint, **dns) is several

    def test_the_weights_pod_reaches_no_collector(self, stack: str) -> None:
        rules = rules_of(stack, **{"monitoring.tracingEndpoint": "http://otel.obs.svc:4317"})
        assert not allowed(rules, "Egress", WEIGHTS_LABELS, port=4317, namespace="obs")


def test_names_are_asked_of_the_nodes_cache_only_where_there_is_one() -> None:
    def asks_the_cache(stack: str, **overrides: object) -> bool:
        return allowed(
            rules_of(stack, **overrides),
            "Egress",
            WEIGHTS_LABELS,
            port=53,
            protocol="UDP",
            address="169.254.20.10",
        )

    assert not asks_the_cache("dev")
    assert asks_the_cache("dev", **{"network.nodeLocalDnsAddress": "169.254.20.10"})
    assert not asks_the_cache("dev", **{"network.nodeLocalDnsAddress": "169.254.25.10"})


@pytest.mark.parametrize("port", [29501, 40000])
def test_the_nodes_of_a_replica_reach_each_other_and_nobody_else(port: int) -> None:
    for direction in ("Ingress", "Egress"):
        for namespace, labels, reached in (
            ("llm", ENGINE_LABELS, True),
            ("llm", WEIGHTS_LABELS, False),
            ("chat", ENGINE_LABELS, False),
        ):
            found = allowed(
                rules_of("owned-h100"),
                direction,
                ENGINE_LABELS,
                port=port,
                namespace=namespace,
                labels=labels,
            )
            assert found is reached
    assert not allowed(rules_of("owned-h100"), "Egress", ENGINE_LABELS, port=443)
