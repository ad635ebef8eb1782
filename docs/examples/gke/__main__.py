"""From an empty Google Cloud project to a served model: network, GKE, a compute class, vLLM.

Not yet run against a real account. Tests run it with Pulumi's mocks.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from breakeven import GatewayFigures, parse, price_stack, raise_problems, register, user_errors

REGION, NAME = "us-central1", "llm"
GPU_MACHINE, SYSTEM_MACHINE = "g2-standard-8", "n2-standard-4"
SETTINGS: dict[str, Any] = {
    "model": {"name": "qwen2.5-7b-instruct"},
    "weights": {"storageClass": "standard-rwx", "accessMode": "ReadWriteMany"},
    "pool": {
        "kind": "gke-compute-class",
        "gpu": "l4",
        "instanceTypes": [GPU_MACHINE],
        "capacityTypes": ["on-demand", "spot"],
    },
    "replicas": {"min": 1, "max": 1, "autoscaling": False},
    "network": {"clientNamespaces": ["chat"]},
    "traffic": {"tokensPerDay": "5M"},
    "pricing": {"cloud": "gcp", "region": REGION, "controlPlane": "gke"},
}


def cluster() -> tuple[gcp.container.Cluster, list[pulumi.Resource]]:
    """Returns the cluster, and what has to be there before anything is put into it.

    GPU nodes are not made here: GKE makes them for the compute class of the stack.
    """
    vpc = gcp.compute.Network(NAME, auto_create_subnetworks=False)
    subnet = gcp.compute.Subnetwork(
        NAME,
        network=vpc.id,
        region=REGION,
        ip_cidr_range="10.0.0.0/20",
        private_ip_google_access=True,
        secondary_ip_ranges=[
            {"range_name": "pods", "ip_cidr_range": "10.4.0.0/14"},
            {"range_name": "services", "ip_cidr_range": "10.8.0.0/20"},
        ],
    )
    router = gcp.compute.Router(NAME, network=vpc.id, region=REGION)
    nat = gcp.compute.RouterNat(
        NAME,
        router=router.name,
        region=REGION,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    )
    made = gcp.container.Cluster(
        NAME,
        location=f"{REGION}-a",  # of one zone: its control plane is free of charge for one cluster
        network=vpc.id,
        subnetwork=subnet.id,
        min_master_version="1.33",
        release_channel={"channel": "REGULAR"},
        remove_default_node_pool=True,
        initial_node_count=1,
        deletion_protection=False,
        datapath_provider="ADVANCED_DATAPATH",  # enforces NetworkPolicies
        ip_allocation_policy={
            "cluster_secondary_range_name": "pods",
            "services_secondary_range_name": "services",
        },
        private_cluster_config={
            "enable_private_nodes": True,
            "enable_private_endpoint": False,
            "master_ipv4_cidr_block": "172.16.0.0/28",
        },
        addons_config={"gcp_filestore_csi_driver_config": {"enabled": True}},
        workload_identity_config={
            "workload_pool": f"{gcp.config.project or 'PROJECT'}.svc.id.goog"
        },
    )
    system = gcp.container.NodePool(
        "system",
        cluster=made.id,
        node_count=1,
        node_config={"machine_type": SYSTEM_MACHINE, "disk_size_gb": 50},
    )
    return made, [system, nat]


def kubeconfig(made: gcp.container.Cluster) -> pulumi.Output[str]:
    """Returns a kubeconfig that asks Google's plugin for a token."""

    def written(values: list[str]) -> str:
        name, endpoint, certificate = values
        command = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "gke-gcloud-auth-plugin",
            "provideClusterInfo": True,
        }
        server = {"server": f"https://{endpoint}", "certificate-authority-data": certificate}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": name, "cluster": server}],
                "users": [
                    {"name": name, "user": {"exec": {**command, "interactiveMode": "Never"}}}
                ],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "current-context": name,
            }
        )

    certificate = made.master_auth.apply(lambda found: found["cluster_ca_certificate"])
    return pulumi.Output.all(made.name, made.endpoint, certificate).apply(written)


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
    price_stack(cloud="gcp", region=REGION)
    with user_errors():
        stack, problems = parse(SETTINGS)
        raise_problems(NAME, problems)
        made, ready = cluster()
        config = kubeconfig(made)
        cluster_only = kubernetes.Provider(NAME, kubeconfig=config)
        # Whatever has this provider waits for the add-ons.
        provider = kubernetes.Provider(
            "stack",
            kubeconfig=config,
            opts=pulumi.ResourceOptions(depends_on=add_ons(cluster_only, ready)),
        )
        options = pulumi.ResourceOptions(providers=[provider])
        return await register(stack, GatewayFigures.none, options)


if __name__ == "__main__":
    pulumi.run(main)
