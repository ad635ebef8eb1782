"""Turns a rendered manifest into a resource, for kinds that have no typed class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_kubernetes.apiextensions import CustomResource

import pulumi
from breakeven.errors import TemplateError

_PARTS = {"apiVersion", "kind", "metadata", "spec"}


def custom_resource(
    manifest: Mapping[str, Any],
    *,
    opts: pulumi.ResourceOptions,
    namespace: pulumi.Input[str] | None = None,
) -> CustomResource:
    """Registers a manifest; its name in the program is its name in the cluster.

    Args:
        manifest: apiVersion, kind, metadata with a name, and spec; nothing else.
        opts: Resource options.
        namespace: Namespace, for kinds that live in one. Not a part of the template, so that the
            resource waits for the namespace.

    Raises:
        TemplateError: A part is missing, or there is one that would be lost.
    """
    kind = str(manifest.get("kind", "a manifest"))
    if set(manifest) != _PARTS:
        odd = ", ".join(sorted(set(manifest) ^ _PARTS))
        msg = f"{kind} has other parts than {', '.join(sorted(_PARTS))}: {odd}"
        raise TemplateError(msg)
    metadata = dict(manifest["metadata"])
    if "name" not in metadata:
        msg = f"{kind} has no metadata.name"
        raise TemplateError(msg)
    if namespace is not None:
        metadata["namespace"] = namespace
    return CustomResource(
        metadata["name"],
        api_version=manifest["apiVersion"],
        kind=kind,
        metadata=metadata,
        spec=manifest["spec"],
        opts=opts,
    )
