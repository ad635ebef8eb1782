"""Simulated machines: nodes that kwok plays the kubelet of."""

from __future__ import annotations

from typing import Any

from rig.api import Api

GPU = "nvidia.com/gpu"


def gpu_node(name: str, labels: dict[str, str], gpus: int) -> dict[str, Any]:
    """Return a GPU node, large enough for any replica.

    Args:
        name: Its name.
        labels: Labels by which a pool finds it.
        gpus: How many GPUs it has.
    """
    resources = {
        "cpu": "192",
        "memory": "2Ti",
        "ephemeral-storage": "1Ti",
        "pods": "110",
        GPU: str(gpus),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                **labels,
            },
        },
        "spec": {"taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}]},
        "status": {"allocatable": resources, "capacity": resources},
    }


def put_node(api: Api, node: dict[str, Any]) -> None:
    """Make a node with its resources, which are a part of its status."""
    api.apply(node)
    path = f"/api/v1/nodes/{node['metadata']['name']}/status"
    api.merge(path, {"status": node["status"]})
