"""Rules for a network that nothing may leave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.addresses import is_inside, network_of, outside_addresses, outside_hosts
from breakeven.policy.config_maps import config_texts
from breakeven.policy.manifest import Container, Pod, Resource, Scope, Unknown, at, listed, strings
from breakeven.policy.reachability import exits_of
from breakeven.policy.rule import Pack, Rule, Violation, about
from breakeven.policy.rules.command_lines import environment, flags, json_value, words
from breakeven.policy.rules.containers import (
    all_of,
    each_container,
    handlers,
    has_pods,
    is_any,
    is_false,
    is_kind,
    is_one_of,
    is_true,
    shown,
)
from breakeven.policy.rules.network_policies import is_judged, is_known_policy, peers, sides
from breakeven.policy.rules.vllm_commands import (
    each_server,
    is_server,
    model_argument,
    vllm_containers,
)

OFFLINE: Mapping[str, str] = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_USE_MODELSCOPE": "false",
    "LMCACHE_TRACK_USAGE": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Variables of a vLLM server and their exact values in an air gap."""

GRAFANA: Mapping[str, str] = {
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
}
"""Variables of Grafana and their exact values in an air gap."""

_HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "NGC_API_KEY")
_GRAFANA_IMAGE = re.compile(r"(^|/)grafana(-oss|-enterprise)?(:|@|$)")
_HOST_NAME = re.compile(r"(PROXY|HOST|HOSTNAME|ENDPOINT|SERVER|ADDR|ADDRESS)$", re.IGNORECASE)
_FILLED_IN_HOST = re.compile(r"//\$[({]")
_SEVERAL_NODES = ("LeaderWorkerSet", "RayCluster", "RayService")


@about(is_judged)
def _no_internet(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for side, number, rule in sides(resource):
        if side != "egress":
            continue
        named, path = peers(side, rule), f"spec.egress[{number}]"
        if not named:
            yield Violation(path, "names no peer, which allows everybody")
        for peer in named:
            cidr = at(peer, "ipBlock", "cidr")
            if cidr is None:
                continue
            network = network_of(cidr)
            if network is None or not is_inside(network):
                yield Violation(path, f"ipBlock {cidr}")


@about(
    lambda resource, _scope: (
        resource.kind in ("Service", "Endpoints", "EndpointSlice") or bool(resource.pods)
    )
)
def _nothing_reachable(resource: Resource, scope: Scope) -> Iterator[Violation]:
    unknown = any(isinstance(pod.labels, Unknown) or pod.namespace == "?" for pod in resource.pods)
    policies = [policy for policy in scope.resources if policy.is_network_policy]
    if unknown or not all(is_known_policy(policy) for policy in policies):
        return
    for way in exits_of(resource, scope.resources):
        yield Violation(f"{way.kind} {way.to}", ", ".join(way.ports) or "any port")


@about(is_kind("Service"))
def _inside_services(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    spec = resource.spec
    if not is_one_of(spec.get("type"), None, "ClusterIP"):
        yield Violation("spec.type", shown(spec.get("type")))
    for key in ("externalIPs", "externalName", "loadBalancerIP"):
        if spec.get(key):
            yield Violation(f"spec.{key}", shown(spec.get(key)))


@about(is_any)
def _no_outside_address(resource: Resource, scope: Scope) -> Iterator[Violation]:
    binary = config_texts(resource, "binaryData")
    for path, text in (*strings(resource.manifest), *binary):
        for address in outside_addresses(text, scope.registries):
            yield Violation(path, address)


@about(has_pods)
def _no_outside_host(resource: Resource, scope: Scope) -> Iterator[Violation]:
    """Checks the places where a host needs no scheme: command lines and variables."""
    namespaces = {each.namespace for each in scope.resources if each.namespace}
    namespaces |= {each.name for each in scope.of("Namespace")}
    for pod in resource.pods:
        for container in pod.containers():
            for path, text in _texts(container):
                for host in (
                    *outside_hosts(text, scope.registries, namespaces),
                    *outside_addresses(text, scope.registries),
                ):
                    yield Violation(f"{container.path}.{path}", host)
                if _FILLED_IN_HOST.search(text):
                    yield Violation(
                        f"{container.path}.{path}", "a host that is only known at start"
                    )


def _texts(container: Container) -> Iterator[tuple[str, str]]:
    for word in words(container):
        yield "args", word
    for name, value in environment(container).stated.items():
        if isinstance(value, str):
            # Parsers of addresses drop the ends of lines.
            text = re.sub(r"[\t\r\n]", "", value)
            # A host may stand alone in a variable that is named after it.
            alone = _HOST_NAME.search(name) and text and "/" not in text
            yield f"env[{name}]", f"{text}/" if alone else text
    for place, handler in handlers(container):
        for word in listed(at(handler, "exec", "command")):
            yield f"{place}.exec.command", str(word)


def _no_hub_token(container: Container, _pod: Pod) -> Iterator[Violation]:
    for name in environment(container).stated:
        if name in _HUB_TOKENS:
            yield Violation(f"{container.path}.env[{name}]", "set")


def _offline(container: Container, _pod: Pod) -> Iterator[Violation]:
    yield from _exactly(container, OFFLINE)


def _is_grafana(container: Container) -> bool:
    return bool(_GRAFANA_IMAGE.search(str(container.spec.get("image", ""))))


def _grafana(container: Container, _pod: Pod) -> Iterator[Violation]:
    yield from _exactly(container, GRAFANA)


def _exactly(container: Container, values: Mapping[str, str]) -> Iterator[Violation]:
    found = environment(container)
    for name, value in values.items():
        if not is_one_of(found.value(name), value):
            yield Violation(
                f"{container.path}.env[{name}]", f"{shown(found.value(name))}, not {value}"
            )


def _local_model(container: Container, _pod: Pod) -> Iterator[Violation]:
    model = model_argument(container)
    unknown = model is None and not flags(container).is_complete
    if not unknown and (model is None or not model.startswith("/")):
        yield Violation(f"{container.path}.args", f"model {shown(model)}")
    for flag, named in _further_models(container):
        if named is not None and not str(named).startswith("/"):
            yield Violation(f"{container.path}.args[{flag}]", shown(named))


def _further_models(container: Container) -> Iterator[tuple[str, Any]]:
    """Yields what else a server may ask a hub for: tokenizer, configuration, draft, adapters."""
    stated = flags(container).stated
    for flag in ("--tokenizer", "--hf-config-path"):
        yield flag, stated.get(flag)
    if stated.get("--generation-config") not in ("auto", "vllm"):
        yield "--generation-config", stated.get("--generation-config")
    yield "--speculative-config", json_value(container, "--speculative-config", "model")
    following = False
    for word in words(container):
        following = word == "--lora-modules" or (following and not word.startswith("-"))
        name, equals, path = word.removeprefix("--lora-modules=").partition("=")
        if (following or word.startswith("--lora-modules=")) and equals and name[:1] != "{":
            yield "--lora-modules", path


@about(is_server)
def _one_node(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for _, container in vllm_containers(resource):
        found = flags(container)
        nodes = found.stated.get("--nnodes", "1")
        if resource.kind in _SEVERAL_NODES:
            yield Violation(container.path, resource.kind)
        elif found.stated.get("--distributed-executor-backend") == "ray" or nodes not in ("1", ""):
            yield Violation(f"{container.path}.args", "several nodes")


@about(lambda resource, _scope: resource.kind == "ClusterPolicy" and resource.group == "nvidia.com")
def _drivers(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    driver = resource.spec.get("driver")
    enabled, precompiled = at(driver, "enabled"), at(driver, "usePrecompiled")
    if not is_false(enabled) and not is_true(precompiled):
        yield Violation("spec.driver", "the driver is compiled when a node starts")


@about(has_pods)
def _cluster_dns(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for pod in resource.pods:
        policy = pod.spec.get("dnsPolicy")
        servers = listed(at(pod.spec, "dnsConfig", "nameservers"))
        if not is_one_of(policy, None, "ClusterFirst") or servers:
            yield Violation(f"{pod.path}.dnsPolicy", shown(list(servers) or policy))


RULES = (
    Rule(
        id="airgap-no-internet",
        what="No network policy allows egress to a public address.",
        do="Select pods and namespaces, or a private network.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=_no_internet,
        controls={"CIS": ("5.3.2",), "Kubescape": ("C-0260",)},
    ),
    Rule(
        id="airgap-nothing-reachable",
        what="With all network policies of the stack combined, no pod can reach a public "
        "address, a metadata "
        "service, another namespace, or a DNS server other than the cluster's.",
        do="Find the port with `breakeven check --format json`, and remove it from the pod's "
        "network policy.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=_nothing_reachable,
        needs_all=True,
        controls={"CIS": ("5.3.2",), "NSA": ("C-0030",), "Kubescape": ("C-0052", "C-0260")},
    ),
    Rule(
        id="airgap-inside-services",
        what="No Service is reachable from outside the cluster or points outside: no "
        "LoadBalancer, NodePort, "
        "external IP or ExternalName.",
        do="Set type to ClusterIP.",
        theme="network-boundary",
        pack=Pack.AIRGAP,
        check=_inside_services,
    ),
    Rule(
        id="airgap-no-outside-address",
        what="No manifest contains a URL outside the boundary, and no command line or variable "
        "contains an "
        "outside host with a port or path.",
        do="Use a host inside the boundary, or remove the value.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=all_of(_no_outside_address, _no_outside_host),
        needs_all=True,
    ),
    Rule(
        id="airgap-cluster-dns",
        what="Pods use only the cluster's DNS.",
        do="Remove dnsPolicy and dnsConfig.nameservers.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=_cluster_dns,
    ),
    Rule(
        id="airgap-no-hub-token",
        what="No pod has a token for a model hub.",
        do="Remove the token; weights come from the bundle.",
        theme="secrets",
        pack=Pack.AIRGAP,
        check=each_container(_no_hub_token),
    ),
    Rule(
        id="airgap-offline",
        what="Every library of a vLLM server is in offline mode.",
        do=f"Set: {', '.join(f'{name}={value}' for name, value in OFFLINE.items())}.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=each_server(_offline),
        needs_all=True,
    ),
    Rule(
        id="airgap-local-model",
        what="A model, its tokenizer, a draft model and adapters are named by absolute paths: with "
        "a repository's name several versions of vLLM ask the hub even when offline.",
        do="Serve /weights/REVISION and set --served-model-name.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=each_server(_local_model),
    ),
    Rule(
        id="airgap-one-node",
        what="A replica runs on one node, because vLLM does not encrypt traffic between nodes.",
        do="Use a node with enough GPUs for the model, or waive the rule if the network "
        "encrypts traffic.",
        theme="transport",
        pack=Pack.AIRGAP,
        check=_one_node,
    ),
    Rule(
        id="airgap-grafana",
        what="Grafana sends no telemetry and does not check for updates.",
        do=f"Set: {', '.join(f'{name}={value}' for name, value in GRAFANA.items())}.",
        theme="egress",
        pack=Pack.AIRGAP,
        check=each_container(_grafana, only=_is_grafana),
    ),
    Rule(
        id="airgap-gpu-driver",
        what="The GPU Operator uses installed or precompiled drivers. Otherwise every new node "
        "downloads "
        "operating system packages.",
        do="Set driver.enabled to false or driver.usePrecompiled to true in the ClusterPolicy.",
        theme="images",
        pack=Pack.AIRGAP,
        check=_drivers,
    ),
)
