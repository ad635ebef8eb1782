"""Settings of pools that no stack file has."""

from __future__ import annotations

from collections.abc import Mapping

CLUSTER_API: Mapping[str, object] = {
    "pool": "cluster-api",
    "nodeLabels": {"nvidia.com/gpu.present": "true"},  # the default, over a stack's own
    "clusterApiContext": "management",
    "clusterApiCluster": "prod",
    "clusterApiNamespace": "clusters",
    "clusterApiVersion": "v1.35.4",
    "clusterApiBootstrapTemplate": "bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate/gpu-workers",
    "clusterApiMachineTemplate": "infrastructure.cluster.x-k8s.io/Metal3MachineTemplate/gpu-h100",
}
