"""From which bundle a stack is deployed, and whether it is deployed from it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from breakeven.bundle.archive.opening import Bundle
from breakeven.bundle.lock import Lock
from breakeven.bundle.pack import LICENCES, LOCK, SBOM
from breakeven.bundle.registry.images import find_images
from breakeven.bundle.registry.model_image import HOST
from breakeven.cost.bill.registered import Registered
from breakeven.settings.model import ModelSettings


def bundle_facts(bundle: Bundle, lock: Lock) -> dict[str, Any]:
    """Returns digest, signer and contents of a bundle whose every byte was verified."""
    files = {entry.path: entry for entry in bundle.manifest.files}
    kinds = Counter(file.path.split("/")[0] for file in lock.files)
    return {
        "digest": bundle.manifest.digest,
        "signer": bundle.manifest.signer,
        "base": bundle.manifest.base or None,
        "verified": "signature and every byte",
        "lock": {"path": LOCK, "sha256": lock.digest, "platform": lock.platform},
        "billOfMaterials": {"path": SBOM, "format": "CycloneDX 1.6", "sha256": files[SBOM].sha256},
        "licences": {"path": LICENCES, "sha256": files[LICENCES].sha256},
        "files": dict(sorted(kinds.items())),
        "model": {
            "name": lock.model.name,
            "repository": lock.model.repository,
            "revision": lock.model.revision,
            "licence": lock.model.licence,
            "files": [
                {"name": file.name, "size": file.size, "sha256": file.sha256}
                for file in lock.model.files
            ],
        },
        "images": [
            {
                "reference": str(image.reference),
                "digest": image.reference.digest,
                "size": image.size,
            }
            for image in lock.images
            if image.reference.host != HOST
        ],
    }


def differences(
    lock: Lock, stack: str, models: Sequence[ModelSettings], resources: Sequence[Registered]
) -> list[str]:
    """Returns in what a stack differs from what its bundle carries; nothing where it does not.

    Images are compared by digest, because a registry inside the boundary has another name.
    """
    found: list[str] = []
    if lock.stack != stack:
        found.append(f"the bundle is for stack {lock.stack}")
    found += [
        f"model: the stack serves revision {model.revision}, not {lock.model.revision}"
        for model in models
        if lock.model.revision != model.revision
    ]
    carried = {image.reference.digest for image in lock.images}
    found += [
        f"image: {image.reference} is not in the bundle"
        for image in find_images(resources)
        if image.reference.digest not in carried
    ]
    return found


def image_list(resources: Sequence[Registered]) -> list[dict[str, Any]]:
    """Returns the images that a stack names, and which resources name each."""
    return [
        {"reference": str(image.reference), "usedBy": list(image.used_by)}
        for image in find_images(resources)
    ]


def log_facts(head: str, entries: Sequence[Any]) -> dict[str, Any]:
    """Returns the log's head and its entries."""
    return {"head": head, "entries": [asdict(entry) for entry in entries]}
