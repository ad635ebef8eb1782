"""What is deployed, as Pulumi's state has it, compared with what the stack file would deploy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from breakeven.bundle.files import sha256_of_bytes
from breakeven.errors import UserError
from breakeven.policy.loading import as_manifests
from breakeven.policy.manifest import Resource, listed

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105  # Pulumi's mark of a secret value
_EXPORT = "pulumi stack export --stack STACK > state.json"
_ENGINE = "pulumi.com/"
"""Prefix of annotations that the engine's provider adds itself."""


def read_state(path: Path) -> tuple[tuple[Resource, ...], dict[str, Any]]:
    """Reads what `pulumi stack export` wrote.

    Returns:
        The Kubernetes resources of the state, and when and by what it was written.

    Raises:
        UserError: The file is not there, or is not such an export.
    """
    try:
        content = path.read_bytes()
        state = json.loads(content)["deployment"]
        entries = state.get("resources") or []
        resources = tuple(
            manifest
            for entry in entries
            if entry.get("custom") and not entry.get("delete")
            for manifest in as_manifests(
                entry["type"], entry["urn"].rpartition("::")[2], entry["inputs"], entry["urn"]
            )
        )
        written = state.get("manifest") or {}
    except OSError as error:
        msg = f"{path}: cannot read the file: {error.strerror}. Create it with: {_EXPORT}"
        raise UserError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not an export of a Pulumi stack. Create it with: {_EXPORT}"
        raise UserError(msg) from error
    return resources, {
        "source": "pulumi stack export",
        "sha256": sha256_of_bytes(content),
        "updated": str(written.get("time") or ""),
        "engine": str(written.get("version") or ""),
        "resources": len(resources),
    }


def changes(planned: Sequence[Resource], deployed: Sequence[Resource]) -> list[dict[str, str]]:
    """Returns in what the deployed resources differ from those that the stack file states.

    Args:
        planned: What an update would deploy.
        deployed: What is there.

    Returns:
        One entry for each resource that only one side has, and one for each field that differs,
        with its path. Values are not in it: some are long, and none is needed to see the change.
    """
    wanted, there = _by_name(planned), _by_name(deployed)
    found: list[dict[str, str]] = []
    for name in sorted({*wanted, *there}):
        if name not in there:
            found.append({"resource": name, "change": "is not deployed"})
        elif name not in wanted:
            found.append({"resource": name, "change": "is deployed but not in the stack file"})
        else:
            paths = sorted(set(_differing(wanted[name].manifest, there[name].manifest, "")))
            found += [{"resource": name, "change": f"differs: {path}"} for path in paths]
    return found


def _by_name(resources: Sequence[Resource]) -> dict[str, Resource]:
    return {resource.reference: resource for resource in resources}


def _differing(one: Any, other: Any, path: str) -> Iterator[str]:
    """Yields the paths at which two values differ; secret values of the state are not compared."""
    if isinstance(other, Mapping) and _SECRET in other:
        return
    mine, theirs = one or {}, other or {}  # what is left out is the same as empty
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        for key in sorted({*map(str, mine), *map(str, theirs)}):
            if not key.startswith(_ENGINE):
                yield from _differing(mine.get(key), theirs.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        for number, (first, second) in enumerate(zip_longest(listed(one), listed(other))):
            yield from _differing(first, second, f"{path}[{number}]")
    elif mine != theirs:
        yield path
