"""What the stacks of stacks/ expect of their cluster: storage classes, namespaces, GPU nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import Stack
from rig.nodes import gpu_node
from rig.standins.volumes import PROVISIONER

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """Return what all committed stacks need, each object once."""
    found: dict[tuple[str, str], Manifest] = {}
    for name in stack_names():
        stack, _ = parse(stack_values(name))
        for manifest in needs_of(name, stack):
            found[manifest["kind"], manifest["metadata"]["name"]] = manifest
    return list(found.values())


def contexts() -> list[str]:
    """Return the names by which committed stacks call a management cluster: here it is this one."""
    named = {
        stack.pool.cluster_api.context
        for stack, _ in (parse(stack_values(name)) for name in stack_names())
    }
    return sorted(named - {""})


def needs_of(name: str, stack: Stack) -> Iterator[Manifest]:
    """Yield what one stack needs.

    Args:
        name: Its name; nodes are named after it.
        stack: The stack.
    """
    for model in stack.models:
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": model.weights.storage_class},
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        }
    namespaces = [stack.monitoring.namespace]
    if stack.pool.kind.uses_management_cluster:
        namespaces.append(stack.pool.cluster_api.namespace)
    for namespace in namespaces:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    if not stack.pool.can_grow:
        for number in range(stack.pool.node_count):
            yield gpu_node(
                f"{name}-{number}", dict(stack.pool.node_labels), stack.pool.gpus_per_node
            )
