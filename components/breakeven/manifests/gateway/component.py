"""The gateway as a component."""

from __future__ import annotations

import hashlib
import json

import yaml
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    PodTemplateSpecArgs,
    Service,
    ServiceAccount,
    ServicePortArgs,
    ServiceSpecArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

import pulumi
from breakeven.manifests.gateway.configuration import modules, policy, proxy_configuration
from breakeven.manifests.gateway.labels import (
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT_NAME,
    METRICS_PORT_NAME,
    REPLICAS,
)
from breakeven.manifests.gateway.pod import CONFIGURATION, POLICY, gateway_pod
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.gateway.store import add_store
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    ENGINE_PORT_NAME,
    described,
)
from breakeven.manifests.serving.service import address, service_annotations
from breakeven.manifests.templates import render
from breakeven.resources.component import KitComponent
from breakeven.resources.custom_resource import custom_resource
from breakeven.settings.groups import GatewaySettings
from breakeven.settings.stack import Settings


class Gateway(KitComponent):
    """One address in front of the model: LiteLLM with our policy, and a store for its budgets.

    Made in two steps, because the price of an own token is known only once everything that costs
    something is registered: the constructor makes all that, `start` the rest, which is free.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        gateway: Its gateway.
        namespace: Namespace to live in.
        opts: Resource options.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        gateway: GatewaySettings,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        api = settings.overflow_api
        super().__init__(
            "gateway:Gateway",
            name,
            {
                "gatewayImage": gateway.image,
                "gatewayReplicas": gateway.replicas,
                "overflowModel": None if api is None else api.model,
                "teams": [team.name for team in gateway.teams],
            },
            opts,
        )
        self._settings, self._gateway, self._namespace = settings, gateway, namespace
        self._account = self.add(
            ServiceAccount(
                GATEWAY,
                metadata=self._metadata(),
                automount_service_account_token=False,
                opts=self.child_options(),
            )
        )
        self._add_services()
        self.add(
            PodDisruptionBudget(
                GATEWAY,
                metadata=self._metadata(),
                spec=PodDisruptionBudgetSpecArgs(
                    selector=LabelSelectorArgs(match_labels=dict(GATEWAY_LABELS)),
                    max_unavailable=1,
                    unhealthy_pod_eviction_policy="AlwaysAllow",
                ),
                opts=self.child_options(),
            )
        )
        if settings.monitoring.enabled:
            self._add_monitor()
        add_store(
            self,
            settings,
            gateway,
            namespace=namespace,
            service_account=self._account.metadata.name,
        )

    def start(self, prices: TokenPrices) -> None:
        """Makes configuration and pods.

        Args:
            prices: What a token costs, here and by API.
        """
        configuration = proxy_configuration(self._settings, self._gateway, prices)
        files = {
            CONFIGURATION: yaml.safe_dump(configuration, sort_keys=False, width=100),
            POLICY: json.dumps(policy(self._settings, self._gateway), indent=2),
            **modules(),
        }
        config = self.add(
            ConfigMap(GATEWAY, metadata=self._metadata(), data=files, opts=self.child_options())
        )
        self.add(
            Deployment(
                GATEWAY,
                metadata=self._metadata(),
                spec=DeploymentSpecArgs(
                    replicas=self._gateway.replicas,
                    selector=LabelSelectorArgs(match_labels=dict(GATEWAY_LABELS)),
                    strategy=DeploymentStrategyArgs(
                        type="RollingUpdate",
                        rolling_update=RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0),
                    ),
                    template=PodTemplateSpecArgs(
                        metadata=ObjectMetaArgs(
                            labels=described(GATEWAY_LABELS),
                            # LiteLLM reads its files when it starts, so new ones need new pods.
                            annotations={"breakeven/configuration": _digest(files)},
                        ),
                        spec=gateway_pod(
                            self._settings,
                            self._gateway,
                            service_account=self._account.metadata.name,
                            config=config.metadata.name,
                        ),
                    ),
                ),
                opts=self.child_options(depends_on=[config]),
            )
        )
        self.register_outputs({"serviceName": GATEWAY})

    def _add_services(self) -> None:
        # Pulumi waits for endpoints; these have none before `start`, or while there is no replica.
        later = {"pulumi.com/skipAwait": "true"}
        self.add(
            Service(
                GATEWAY,
                metadata=self._metadata({**service_annotations(self._settings), **later}),
                spec=address(
                    self._settings,
                    GATEWAY_LABELS,
                    # The model's port: a client of mode self-host changes the name alone.
                    port=ENGINE_PORT,
                    port_name=GATEWAY_PORT_NAME,
                ),
                opts=self.child_options(),
            )
        )
        self.add(
            Service(
                REPLICAS,
                metadata=ObjectMetaArgs(
                    name=REPLICAS,
                    namespace=self._namespace,
                    labels=described(ENGINE_LABELS),
                    annotations=later,
                ),
                spec=ServiceSpecArgs(
                    type="ClusterIP",
                    cluster_ip="None",
                    selector=dict(ENGINE_LABELS),
                    ports=[
                        ServicePortArgs(
                            name=ENGINE_PORT_NAME, port=ENGINE_PORT, target_port=ENGINE_PORT_NAME
                        )
                    ],
                ),
                opts=self.child_options(),
            )
        )

    def _add_monitor(self) -> None:
        [monitor] = render(
            "monitoring/pod-monitor.yaml.j2",
            {"name": GATEWAY, "labels": dict(GATEWAY_LABELS), "port_name": METRICS_PORT_NAME},
        )
        self.add(custom_resource(monitor, namespace=self._namespace, opts=self.child_options()))

    def _metadata(self, annotations: dict[str, str] | None = None) -> ObjectMetaArgs:
        return ObjectMetaArgs(
            name=GATEWAY,
            namespace=self._namespace,
            labels=described(GATEWAY_LABELS),
            annotations=annotations or None,
        )


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
