"""Network rules of the model's namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.manifests.gateway.labels import (
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT,
    METRICS_PORT,
    STORE,
    STORE_LABELS,
    STORE_PORT,
)
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
from breakeven.settings.stack import Settings


def network_component(name: str, settings: Settings) -> Component:
    """Returns the network rules: nothing may talk, but for what is named here.

    The engine is called by its clients and calls nobody, so that prompts have no way out; where
    monitoring.tracingEndpoint names a collector, it reaches that one port, and where a replica
    spans several nodes its pods call each other and ask for each other's names. The pod that
    fetches the weights, where they are not there, calls the internet by HTTPS and is called by
    nobody. The models of a stack have the same rules, and can't call each other.

    Args:
        name: Name in the program.
        settings: The stack's settings.
    """
    return Component(
        type="breakeven:network:NetworkRules",
        name=name,
        namespace=settings.network.namespace,
        inputs={
            "clientNamespaces": list(settings.network.client_namespaces),
            "clientNetworks": list(settings.network.client_networks),
            "exposure": settings.network.exposure,
        },
        resources=(*_engine_policies(settings), *_gateway_policies(settings)),
    )


def _engine_policies(settings: Settings) -> Iterator[Resource]:
    peers = callers(settings)
    yield _policy(settings, "default-deny", {})
    yield _policy(
        settings,
        f"{NAME}-engine",
        ENGINE_LABELS,
        # A rule without a peer would let everybody in.
        ingress=[_opened(peers, ENGINE_PORT)] if peers else [],
        egress=collector(settings),
    )
    if settings.engine.pipeline_parallel > 1:
        # Between the nodes of a replica: NCCL and vLLM choose their ports as they start.
        yield _policy(
            settings,
            f"{NAME}-nodes",
            ENGINE_LABELS,
            ingress=[{"from": [pods(ENGINE_LABELS)]}],
            egress=[{"to": [pods(ENGINE_LABELS)]}, name_lookups(settings)],
        )
    if any(model.fetches_weights for model in settings.models):
        egress = [name_lookups(settings), public_https()]
        yield _policy(settings, f"{NAME}-weights", WEIGHTS_LABELS, egress=egress)


def _gateway_policies(settings: Settings) -> Iterator[Resource]:
    if not settings.gateway.is_hybrid:
        return
    readers = [in_namespace(settings.monitoring.namespace)]
    watched = any(model.watched for model in settings.models)
    yield _policy(
        settings,
        GATEWAY,
        GATEWAY_LABELS,
        ingress=[
            *([_opened(clients(settings), GATEWAY_PORT)] if clients(settings) else []),
            *([_opened(readers, METRICS_PORT)] if watched else []),
        ],
        egress=[
            name_lookups(settings),
            _reached(ENGINE_LABELS, ENGINE_PORT),
            _reached(STORE_LABELS, STORE_PORT),
            # Without an API behind it, the gateway has no way out of the cluster.
            *([public_https()] if settings.overflow_api is not None else []),
        ],
    )
    ingress = [_opened([pods(GATEWAY_LABELS)], STORE_PORT)]
    yield _policy(settings, STORE, STORE_LABELS, ingress=ingress)


def _policy(
    settings: Settings,
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
            "namespace": settings.network.namespace,
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
