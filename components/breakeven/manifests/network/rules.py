"""Network rules of the model's namespace."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

import pulumi
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
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    NAME,
    WEIGHTS_LABELS,
    described,
)
from breakeven.resources.component import KitComponent
from breakeven.settings.stack import Settings


class NetworkRules(KitComponent):
    """Nothing may talk, but for what is named here.

    The engine is called by its clients and calls nobody, so that prompts have no way out; where
    tracingEndpoint names a collector, it reaches that one port, and where a replica spans several
    nodes its pods call each other and ask for each other's names. The pod that fetches the weights,
    where they are not there, calls the internet by HTTPS and is called by nobody. The models of a
    stack have the same rules, and can't call each other.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            "network:NetworkRules",
            name,
            {
                "clientNamespaces": list(settings.network.client_namespaces),
                "clientNetworks": list(settings.network.client_networks),
                "exposure": settings.network.exposure,
            },
            opts,
        )
        self._namespace = namespace
        peers = callers(settings)
        self._add("default-deny", pods={})
        self._add(
            f"{NAME}-engine",
            pods=ENGINE_LABELS,
            # A rule without a peer would let everybody in.
            ingress=[_opened(peers, ENGINE_PORT)] if peers else [],
            egress=collector(settings),
        )
        if settings.engine.pipeline_parallel > 1:
            # Between the nodes of a replica: NCCL and vLLM choose their ports as they start.
            self._add(
                f"{NAME}-nodes",
                pods=ENGINE_LABELS,
                ingress=[NetworkPolicyIngressRuleArgs(from_=[pods(ENGINE_LABELS)])],
                egress=[
                    NetworkPolicyEgressRuleArgs(to=[pods(ENGINE_LABELS)]),
                    name_lookups(settings),
                ],
            )
        if any(model.fetches_weights for model in settings.models):
            egress = [name_lookups(settings), public_https()]
            self._add(f"{NAME}-weights", pods=WEIGHTS_LABELS, egress=egress)
        if settings.gateway.is_hybrid:
            self._add_gateway(settings)
        self.register_outputs({})

    def _add_gateway(self, settings: Settings) -> None:
        readers = [in_namespace(settings.monitoring.namespace)]
        self._add(
            GATEWAY,
            pods=GATEWAY_LABELS,
            ingress=[
                *([_opened(clients(settings), GATEWAY_PORT)] if clients(settings) else []),
                *(
                    [_opened(readers, METRICS_PORT)]
                    if any(model.watched for model in settings.models)
                    else []
                ),
            ],
            egress=[
                name_lookups(settings),
                _reached(ENGINE_LABELS, ENGINE_PORT),
                _reached(STORE_LABELS, STORE_PORT),
                # Without an API behind it, the gateway has no way out of the cluster.
                *([public_https()] if settings.overflow_api is not None else []),
            ],
        )
        self._add(STORE, pods=STORE_LABELS, ingress=[_opened([pods(GATEWAY_LABELS)], STORE_PORT)])

    def _add(
        self,
        name: str,
        *,
        pods: Mapping[str, str],
        ingress: list[NetworkPolicyIngressRuleArgs] | None = None,
        egress: list[NetworkPolicyEgressRuleArgs] | None = None,
    ) -> None:
        self.add(
            NetworkPolicy(
                name,
                metadata=ObjectMetaArgs(
                    name=name, namespace=self._namespace, labels=described(pods)
                ),
                spec=NetworkPolicySpecArgs(
                    pod_selector=LabelSelectorArgs(match_labels=dict(pods)),
                    policy_types=["Ingress", "Egress"],
                    ingress=ingress or None,
                    egress=egress or None,
                ),
                opts=self.child_options(),
            )
        )


def _opened(peers: list[NetworkPolicyPeerArgs], port: int) -> NetworkPolicyIngressRuleArgs:
    return NetworkPolicyIngressRuleArgs(
        from_=peers, ports=[NetworkPolicyPortArgs(port=port, protocol="TCP")]
    )


def _reached(labels: Mapping[str, str], port: int) -> NetworkPolicyEgressRuleArgs:
    return NetworkPolicyEgressRuleArgs(
        to=[pods(labels)], ports=[NetworkPolicyPortArgs(port=port, protocol="TCP")]
    )
