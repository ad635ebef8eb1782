"""What the stacks of stacks/ expect of their cluster: storage classes, namespaces, GPU nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings
from rig.nodes import gpu_node
from rig.standins.volumes import PROVISIONER

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """Return what all committed stacks need, each object once."""
    found: dict[tuple[str, str], Manifest] = {}
    for stack in stack_names():
        settings, _ = parse(stack_values(stack))
        for manifest in needs_of(stack, settings):
            found[manifest["kind"], manifest["metadata"]["name"]] = manifest
    return list(found.values())


def contexts() -> list[str]:
    """Return the names by which committed stacks call a management cluster: here it is this one."""
    named = {
        settings.pool.cluster_api.context
        for settings, _ in (parse(stack_values(stack)) for stack in stack_names())
    }
    return sorted(named - {""})


def needs_of(stack: str, settings: Settings) -> Iterator[Manifest]:
    """Yield what one stack needs.

    Args:
        stack: Its name; nodes are named after it.
        settings: Its settings.
    """
    yield {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": settings.weights.storage_class},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }
    namespaces = [settings.monitoring.namespace]
    if settings.pool.kind.uses_management_cluster:
        namespaces.append(settings.pool.cluster_api.namespace)
    for namespace in namespaces:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    if not settings.pool.can_grow:
        for number in range(settings.pool.node_count):
            yield gpu_node(
                f"{stack}-{number}", dict(settings.pool.node_labels), settings.pool.gpus_per_node
            )
