"""Stands in for GKE's node autoscaler.

A pod that waits for a compute class gets a node of the class's first choice, and a class that is
deleted takes its nodes along.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from rig.api import Api
from rig.nodes import gpu_node, put_node

LABEL = "cloud.google.com/compute-class"

_CLASSES = "/apis/cloud.google.com/v1/computeclasses"


def reconcile(api: Api) -> Iterator[str]:
    """Make the nodes that pods wait for, and delete those that nothing needs any more.

    Yields:
        What was done.
    """
    found = api.find(_CLASSES)
    classes = {each["metadata"]["name"]: each for each in (found["items"] if found else ())}
    nodes = list(api.items(f"/api/v1/nodes?labelSelector={LABEL}"))
    if not classes and not nodes:
        return
    pods = list(api.items("/api/v1/pods"))
    free = {node["metadata"]["name"] for node in nodes} - {
        pod["spec"].get("nodeName", "") for pod in pods
    }
    for pod in pods:
        name = pod["spec"].get("nodeSelector", {}).get(LABEL)
        if name in classes and _waits(pod):
            if free:  # the scheduler will find it
                free.pop()
                continue
            made = f"{name}-{secrets.token_hex(4)}"
            put_node(api, gpu_node(made, {LABEL: name}, _gpus(classes[name])))
            yield f"{made} for {pod['metadata']['name']}"
    for node in nodes:
        name = node["metadata"]["name"]
        if node["metadata"]["labels"][LABEL] not in classes:
            api.delete(f"/api/v1/nodes/{name}")
            yield f"deleted {name}"


def _gpus(compute_class: dict[str, Any]) -> int:
    return int(compute_class["spec"]["priorities"][0]["gpu"]["count"])


def _waits(pod: dict[str, Any]) -> bool:
    return any(
        each.get("reason") == "Unschedulable" for each in pod["status"].get("conditions") or ()
    ) and not pod["spec"].get("nodeName")
