"""The namespace of the model."""

from __future__ import annotations

from breakeven.manifests.resource import Component, Resource
from breakeven.settings.stack import Stack


def namespace_component(name: str, stack: Stack) -> Component:
    """Returns a namespace in which only pods of the restricted security standard start.

    Args:
        name: Name in the program.
        stack: The stack.
    """
    namespace = stack.network.namespace
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {
                "app.kubernetes.io/part-of": "breakeven",
                "app.kubernetes.io/managed-by": "pulumi",
                **_restricted(),
            },
        },
    }
    return Component(
        type="breakeven:network:ServingNamespace",
        name=name,
        resources=(Resource(name=namespace, manifest=manifest),),
        outputs={"name": namespace},
    )


def _restricted() -> dict[str, str]:
    prefix, modes = "pod-security.kubernetes.io/", ("enforce", "audit", "warn")
    return {
        **{f"{prefix}{mode}": "restricted" for mode in modes},
        # New rules of a newer Kubernetes apply immediately.
        **{f"{prefix}{mode}-version": "latest" for mode in modes},
    }
