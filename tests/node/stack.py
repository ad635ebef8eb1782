"""A stack for the node: sizes are scaled by settings, and nothing else is changed."""

from __future__ import annotations

from typing import Any

import yaml

from breakeven.settings.files import with_settings
from node import engine, gateway, images
from node.starting import Started
from tests.project_copy import Project

STACK = "node"
KEY_SECRET = "vllm-api-key"  # a name

OWNED = {
    "nodes": "owned",
    "cloud": "none",
    "region": "",
    "owned": {
        "purchasePrice": "9000",
        "amortizationYears": 4,
        "powerWatts": 400,
        "electricityPricePerKwh": "0.12",
    },
    "overrides": {"volume/none/node-local": "0"},
}


def gateway_images(node: Started) -> dict[str, str]:
    """Settings by which a stack's gateway runs in the images of the node."""
    names = {"image": gateway.ENVOY, "limitsImage": gateway.LIMITS, "storeImage": gateway.STORE}
    return {f"gateway.{key}": images.reference(node.places, name) for key, name in names.items()}


def write_stack(project: Project, node: Started, **values: object) -> dict[str, object]:
    """Writes the stack file: one node with four GPUs of the smallest kind, and a small model.

    Args:
        project: A copy of the project.
        node: The node, whose images it names.
        values: Settings by their dotted keys.

    Returns:
        What the stack states, by group.
    """
    config: dict[str, Any] = {
        "breakeven:pool": {"kind": "existing", "gpu": "l4", "gpusPerNode": 4, "nodeCount": 1},
        "breakeven:engine": {"image": images.reference(node.places, engine.ENGINE)},
        "breakeven:weights": {"storageClass": "node-local"},
        "breakeven:replicas": {"autoscaling": False, "min": 1, "max": 1},
        "breakeven:network": {"clientNamespaces": ["default"]},
        "breakeven:pricing": OWNED,
    }
    changed = with_settings(config, {f"breakeven:{key}": value for key, value in values.items()})
    path = project.root / "stacks" / f"Pulumi.{STACK}.yaml"
    path.write_text(yaml.safe_dump({"config": changed}), encoding="utf-8")
    return {key.removeprefix("breakeven:"): value for key, value in changed.items()}
