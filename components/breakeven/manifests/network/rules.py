"""Network rules of the model's namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.labels import (
    API_PORT,
    EGRESS,
    EGRESS_LABELS,
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT,
    LIMITS_PORT,
    METRICS_PORT,
    STORE,
    STORE_LABELS,
)
from breakeven.manifests.network.inference_pool import inference_pool
from breakeven.manifests.network.peers import (
    callers,
    clients,
    collector,
    in_namespace,
    name_lookups,
    pods,
    public_https,
)
from breakeven.manifests.resource import Component, Resource
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    NAME,
    WEIGHTS_LABELS,
    described,
)
from breakeven.settings.stack import Stack


def network_component(name: str, stack: Stack) -> Component:
    """Returns the network rules: all traffic that is not named here is denied.

    The engine is called by its clients and calls nobody, so that prompts have no way out; where
    monitoring.tracingEndpoint names a collector, it reaches that one port, and where a replica
    spans several nodes its pods call each other and ask for each other's names. The pod that
    fetches the weights, where they are not there, calls the internet by HTTPS and is called by
    nobody. The models of a stack have the same rules, and cannot call each other.

    Args:
        name: Name in the program.
        stack: The stack.
    """
    return Component(
        type="breakeven:network:NetworkRules",
        name=name,
        namespace=stack.network.namespace,
        inputs={
            "clientNamespaces": list(stack.network.client_namespaces),
            "clientNetworks": list(stack.network.client_networks),
            "exposure": stack.network.exposure,
        },
        resources=(
            *_engine_policies(stack),
            *_gateway_policies(stack),
            *inference_pool(stack),
        ),
    )


def _engine_policies(stack: Stack) -> Iterator[Resource]:
    peers = callers(stack)
    yield _policy(stack, "default-deny", {})
    yield _policy(
        stack,
        f"{NAME}-engine",
        ENGINE_LABELS,
        # A rule without a peer would admit everyone.
        ingress=[_opened(peers, ENGINE_PORT)] if peers else [],
        egress=collector(stack),
    )
    if any(model.engine.pipeline_parallel > 1 for model in stack.models):
        # Between the nodes of a replica: NCCL and vLLM choose their ports as they start.
        yield _policy(
            stack,
            f"{NAME}-nodes",
            ENGINE_LABELS,
            ingress=[{"from": [pods(ENGINE_LABELS)]}],
            egress=[{"to": [pods(ENGINE_LABELS)]}, name_lookups(stack)],
        )
    if any(model.fetches_weights for model in stack.models):
        egress = [name_lookups(stack), public_https()]
        yield _policy(stack, f"{NAME}-weights", WEIGHTS_LABELS, egress=egress)


def _gateway_policies(stack: Stack) -> Iterator[Resource]:
    if not stack.gateway.is_on:
        return
    readers = [in_namespace(stack.monitoring.namespace)]
    scraped = [_opened(readers, METRICS_PORT)] if stack.watched else []
    separates = any(model.separates_inside for model in stack.models)
    leaves = any(model.overflow_api for model in stack.models)
    yield _policy(
        stack,
        GATEWAY,
        GATEWAY_LABELS,
        ingress=[
            *([_opened(clients(stack), GATEWAY_PORT)] if clients(stack) else []),
            *scraped,
        ],
        egress=[
            name_lookups(stack),
            _reached(ENGINE_LABELS, ENGINE_PORT),
            _reached(STORE_LABELS, LIMITS_PORT),
            # Without an API behind it, the gateway has no way out of the cluster; where what stays
            # inside is separated, pods that see none of it have the way out.
            *([_reached(EGRESS_LABELS, API_PORT)] if separates else []),
            *([public_https()] if leaves and not separates else []),
        ],
    )
    if separates:
        yield _policy(
            stack,
            EGRESS,
            EGRESS_LABELS,
            ingress=[_opened([pods(GATEWAY_LABELS)], API_PORT), *scraped],
            egress=[name_lookups(stack), public_https()],
        )
    ingress = [_opened([pods(GATEWAY_LABELS)], LIMITS_PORT)]
    yield _policy(stack, STORE, STORE_LABELS, ingress=ingress)


def _policy(
    stack: Stack,
    name: str,
    pods: Mapping[str, str],
    *,
    ingress: Sequence[Mapping[str, Any]] = (),
    egress: Sequence[Mapping[str, Any]] = (),
) -> Resource:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": name,
            "namespace": stack.network.namespace,
            "labels": described(pods),
        },
        "spec": {
            "podSelector": {"matchLabels": dict(pods)},
            "policyTypes": ["Ingress", "Egress"],
            **({"ingress": list(ingress)} if ingress else {}),
            **({"egress": list(egress)} if egress else {}),
        },
    }
    return Resource(name=name, manifest=manifest)


def _opened(peers: list[dict[str, Any]], port: int) -> dict[str, Any]:
    return {"from": peers, "ports": [{"port": port, "protocol": "TCP"}]}


def _reached(labels: Mapping[str, str], port: int) -> dict[str, Any]:
    return {"to": [pods(labels)], "ports": [{"port": port, "protocol": "TCP"}]}
