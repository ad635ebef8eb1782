"""From an empty Azure subscription to a served model: AKS with node auto-provisioning, vLLM.

Not yet run against a real account. Tests run it with Pulumi's mocks.
"""

from __future__ import annotations

import base64
from typing import Any

import pulumi
import pulumi_azure_native as azure
import pulumi_kubernetes as kubernetes

from breakeven import GatewayFigures, parse, price_stack, raise_problems, register, user_errors

REGION, NAME = "eastus", "llm"
VERSION = "1.34"
GPU_MACHINE, SYSTEM_MACHINE = "Standard_NC40ads_H100_v5", "Standard_D4s_v5"
SETTINGS: dict[str, Any] = {
    "model": {"name": "qwen2.5-7b-instruct"},
    "weights": {"storageClass": "azurefile-premium", "accessMode": "ReadWriteMany"},
    "pool": {
        "kind": "karpenter-azure",
        "gpu": "h100-nvl",
        "instanceTypes": [GPU_MACHINE],
        "capacityTypes": ["on-demand", "spot"],
    },
    "replicas": {"min": 1, "max": 1, "autoscaling": False},
    "network": {"clientNamespaces": ["chat"]},
    "traffic": {"tokensPerDay": "5M"},
    "pricing": {
        "cloud": "azure",
        "region": REGION,
        "controlPlane": "aks",
        "overrides": {"volume/azure/node-os-disk": "0"},  # ephemeral: on the machine's own disk
    },
}


def cluster() -> tuple[azure.containerservice.ManagedCluster, pulumi.Output[str]]:
    """Returns the cluster and the name of its resource group.

    GPU nodes are not made here: AKS makes them for the node pool of the stack.
    """
    group = azure.resources.ResourceGroup(NAME, location=REGION)
    made = azure.containerservice.ManagedCluster(
        NAME,
        resource_group_name=group.name,
        location=REGION,
        kubernetes_version=VERSION,
        dns_prefix=NAME,
        sku={"name": "Base", "tier": "Standard"},
        identity={"type": "SystemAssigned"},
        agent_pool_profiles=[
            {
                "name": "system",
                "mode": "System",
                "count": 2,
                "vm_size": SYSTEM_MACHINE,
                "os_type": "Linux",
                "type": "VirtualMachineScaleSets",
            }
        ],
        network_profile={
            "network_plugin": "azure",
            "network_plugin_mode": "overlay",
            "network_dataplane": "cilium",
            "network_policy": "cilium",  # enforces NetworkPolicies
        },
        node_provisioning_profile={"mode": "Auto"},
        workload_auto_scaler_profile={"keda": {"enabled": True}},
        oidc_issuer_profile={"enabled": True},
        security_profile={"workload_identity": {"enabled": True}},
    )
    return made, group.name


def kubeconfig(
    made: azure.containerservice.ManagedCluster, group: pulumi.Output[str]
) -> pulumi.Output[str]:
    """Returns the kubeconfig that AKS writes for its users."""
    found = azure.containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=group, resource_name=made.name
    )
    text: pulumi.Output[str] = found.kubeconfigs.apply(
        lambda configs: base64.b64decode(configs[0].value).decode()
    )
    return text


def add_ons(provider: kubernetes.Provider, first: list[pulumi.Resource]) -> list[pulumi.Resource]:
    """Returns what `breakeven preflight` asks for and the cluster does not bring: Prometheus."""
    options = pulumi.ResourceOptions(provider=provider, depends_on=first)
    prometheus = kubernetes.helm.v3.Release(
        "monitoring",
        chart="kube-prometheus-stack",
        version="81.6.2",
        namespace="monitoring",
        create_namespace=True,
        repository_opts={"repo": "https://prometheus-community.github.io/helm-charts"},
        values={
            "prometheus": {
                "prometheusSpec": {
                    "podMonitorSelectorNilUsesHelmValues": False,
                    "ruleSelectorNilUsesHelmValues": False,
                }
            }
        },
        opts=options,
    )
    return [prometheus]


async def main() -> dict[str, object]:
    """Makes everything; the cost of all of it is shown at every preview."""
    price_stack(cloud="azure", region=REGION)
    with user_errors():
        stack, problems = parse(SETTINGS)
        raise_problems(NAME, problems)
        made, group = cluster()
        config = kubeconfig(made, group)
        cluster_only = kubernetes.Provider(NAME, kubeconfig=config)
        # Whatever has this provider waits for the add-ons.
        provider = kubernetes.Provider(
            "stack",
            kubeconfig=config,
            opts=pulumi.ResourceOptions(depends_on=add_ons(cluster_only, [made])),
        )
        options = pulumi.ResourceOptions(providers=[provider])
        return await register(stack, GatewayFigures.none, options)


if __name__ == "__main__":
    pulumi.run(main)
