"""Network rules of the model's namespace."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.base import KitComponent
from components.network.peers import callers, name_lookups, public_https
from components.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    NAME,
    WEIGHTS_LABELS,
    described,
)
from components.settings_types import Settings


class NetworkRules(KitComponent):
    """Nothing may talk, but for what is named here.

    The engine is called by its clients and calls nobody, so that prompts have no way out. The pod
    that fetches the weights calls the internet by HTTPS and is called by nobody.
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
            ingress=[
                NetworkPolicyIngressRuleArgs(
                    from_=peers,
                    ports=[NetworkPolicyPortArgs(port=ENGINE_PORT, protocol="TCP")],
                )
            ]
            if peers
            else [],
        )
        self._add(f"{NAME}-weights", pods=WEIGHTS_LABELS, egress=[name_lookups(), public_https()])
        self.register_outputs({})

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
