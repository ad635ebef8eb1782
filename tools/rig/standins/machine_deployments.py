"""Stands in for Cluster API with a provider of servers, and for the cluster autoscaler.

The autoscaler asks for as many machines as pods of the MachineDeployment's label need, between its
two sizes; each machine becomes a node with that label, as a bootstrap template would make it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from rig.api import Api
from rig.nodes import gpu_node, put_node

LABEL = "node.cluster.x-k8s.io/pool"
GPUS = 8  # of a server of the template that the stack names

_DEPLOYMENTS = "/apis/cluster.x-k8s.io/v1beta2/machinedeployments"
_PATH = "/apis/cluster.x-k8s.io/v1beta2/namespaces/{}/machinedeployments/{}"
_SIZE = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-{}-size"


def reconcile(api: Api) -> Iterator[str]:
    """Set how many machines there are to be, and make and delete nodes accordingly.

    Yields:
        What was done.
    """
    found = api.find(_DEPLOYMENTS)
    deployments = {_pool(each): each for each in (found["items"] if found else ())}
    nodes: dict[str, list[str]] = {pool: [] for pool in deployments}
    for node in api.items(f"/api/v1/nodes?labelSelector={LABEL}"):
        pool, name = node["metadata"]["labels"][LABEL], node["metadata"]["name"]
        if pool in deployments:
            nodes[pool].append(name)
        else:
            api.delete(f"/api/v1/nodes/{name}")
            yield f"deleted {name}"
    for pool, deployment in deployments.items():
        used, waiting = _demand(api, pool)
        wanted = _replicas(deployment, len(used) + waiting)
        if deployment["spec"].get("replicas") != wanted:
            metadata = deployment["metadata"]
            path = _PATH.format(metadata["namespace"], metadata["name"])
            api.merge(path, {"spec": {"replicas": wanted}})
            yield f"{metadata['name']} is to have {wanted} machines"
        for _ in range(wanted - len(nodes[pool])):
            name = f"{pool}-{secrets.token_hex(4)}"
            put_node(api, gpu_node(name, {LABEL: pool}, GPUS))
            yield f"{name} for {pool}"
        idle = [name for name in nodes[pool] if name not in used]
        for name in idle[: max(len(nodes[pool]) - wanted, 0)]:
            api.delete(f"/api/v1/nodes/{name}")
            yield f"deleted {name}"


def _pool(deployment: dict[str, Any]) -> str:
    return str(deployment["spec"]["template"]["metadata"]["labels"][LABEL])


def _demand(api: Api, pool: str) -> tuple[set[str], int]:
    """Return the nodes that pods of a pool use, and how many of its pods wait for one."""
    pods = [
        pod
        for pod in api.items("/api/v1/pods")
        if pod["spec"].get("nodeSelector", {}).get(LABEL) == pool
    ]
    used = {pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")}
    return used, sum(1 for pod in pods if not pod["spec"].get("nodeName"))


def _replicas(deployment: dict[str, Any], needed: int) -> int:
    sizes = deployment["metadata"]["annotations"]
    fewest, most = (int(sizes[_SIZE.format(end)]) for end in ("min", "max"))
    return min(max(needed, fewest), most)
