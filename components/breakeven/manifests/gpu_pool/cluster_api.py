"""GPU nodes from Cluster API, on any infrastructure with a provider."""

from __future__ import annotations

from breakeven.manifests.gpu_pool.pool import Pool, Scheduling, pool_name
from breakeven.manifests.resource import Resource
from breakeven.manifests.templates import render_manifest
from breakeven.settings.pool import ClusterApiTemplate
from breakeven.settings.stack import Stack

POOL_LABEL = "node.cluster.x-k8s.io/pool"
"""Cluster API copies labels of this domain, and few others, from machines to nodes."""


def cluster_api_pool(stack: Stack) -> Pool:
    """Returns one MachineDeployment in the management cluster, between two sizes.

    The cluster autoscaler counts its machines by the replicas that find no room. How a machine
    boots and what it is made of stand in templates of the management cluster, which this stack
    refers to and does not own. The GPU's taint is theirs to set: Cluster API's own taints of
    machines are an alpha feature that is off by default (1.14).
    """
    name, cluster_api = pool_name(stack), stack.pool.cluster_api
    machines = f"{cluster_api.cluster}-{name}"
    manifest = render_manifest(
        "gpu_pool/machine-deployment.yaml.j2",
        {
            "name": machines,
            "cluster": cluster_api.cluster,
            "version": cluster_api.version,
            "bootstrap": _reference(cluster_api.bootstrap_template),
            "machine": _reference(cluster_api.machine_template),
            "labels": {POOL_LABEL: name},
            "fewest": stack.nodes_of_lowest,
            "most": stack.peak_gpus // stack.pool.gpus_per_node,
        },
        namespace=cluster_api.namespace,
    )
    return Pool(
        resources=(Resource(name=machines, manifest=manifest, context=cluster_api.context),),
        scheduling=Scheduling.on_gpu_nodes({POOL_LABEL: name}),
        weights_scheduling=Scheduling(),
    )


def _reference(template: ClusterApiTemplate) -> dict[str, str]:
    return {"apiGroup": template.group, "kind": template.kind, "name": template.name}
