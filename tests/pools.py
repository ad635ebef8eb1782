"""Settings of pools that no stack file has."""

from __future__ import annotations

from collections.abc import Mapping

CLUSTER_API: Mapping[str, object] = {
    "pool.kind": "cluster-api",
    "pool.nodeLabels": {"nvidia.com/gpu.present": "true"},  # the default, over a stack's own
    "pool.clusterApi.context": "management",
    "pool.clusterApi.cluster": "prod",
    "pool.clusterApi.namespace": "clusters",
    "pool.clusterApi.version": "v1.35.4",
    "pool.clusterApi.bootstrapTemplate": (
        "bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate/gpu-workers"
    ),
    "pool.clusterApi.machineTemplate": (
        "infrastructure.cluster.x-k8s.io/Metal3MachineTemplate/gpu-h100"
    ),
}
