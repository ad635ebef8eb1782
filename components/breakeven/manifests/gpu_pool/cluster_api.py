"""GPU nodes that Cluster API makes, on any infrastructure that has a provider for it."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

import pulumi
from breakeven.manifests.gpu_pool.pool import GpuPool, Scheduling, pool_name
from breakeven.manifests.templates import render
from breakeven.resources.custom_resource import custom_resource
from breakeven.settings.groups import ClusterApiTemplate
from breakeven.settings.stack import Settings

POOL_LABEL = "node.cluster.x-k8s.io/pool"
"""Cluster API copies labels of this domain from machines to nodes, and few others."""


class ClusterApiPool(GpuPool):
    """One MachineDeployment in the management cluster, between two sizes.

    The cluster autoscaler counts its machines by the replicas that find no room. How a machine
    boots and what it is made of stand in templates of the management cluster, which this stack
    refers to and does not own. The GPU's taint is theirs to set: Cluster API's own taints of
    machines are an alpha feature that is off by default (1.14).
    """

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(settings, opts)
        name, cluster_api = pool_name(settings), settings.pool.cluster_api
        options = self.child_options()
        if cluster_api.context:
            management = self.add(
                kubernetes.Provider(
                    "management", context=cluster_api.context, opts=self.child_options()
                )
            )
            options = pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(provider=management)
            )
        [manifest] = render(
            "gpu_pool/machine-deployment.yaml.j2",
            {
                "name": f"{cluster_api.cluster}-{name}",
                "cluster": cluster_api.cluster,
                "version": cluster_api.version,
                "bootstrap": _reference(cluster_api.bootstrap_template),
                "machine": _reference(cluster_api.machine_template),
                "labels": {POOL_LABEL: name},
                "fewest": settings.nodes_of_lowest,
                "most": settings.peak_gpus // settings.pool.gpus_per_node,
            },
        )
        self.add(custom_resource(manifest, namespace=cluster_api.namespace, opts=options))
        self.scheduling = Scheduling.on_gpu_nodes({POOL_LABEL: name})
        self.weights_scheduling = Scheduling()
        self.register_outputs({})


def _reference(template: ClusterApiTemplate) -> dict[str, str]:
    return {"apiGroup": template.group, "kind": template.kind, "name": template.name}
