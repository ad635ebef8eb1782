"""A good stack, and changes to it as the case files write them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from breakeven.policy.config_maps import with_config_maps
from breakeven.policy.loading import taken_apart
from breakeven.policy.manifest import Carried, Resource, Scope

CASES = Path(__file__).parent / "cases"
ALIASES = {
    "pod": "Deployment spec template spec",
    "container": "Deployment spec template spec containers 0",
}

Manifests = list[dict[str, Any]]


def base() -> Manifests:
    """The good stack, for a test to change."""
    return copy.deepcopy(_read())


@cache
def _read() -> Manifests:
    return list(yaml.safe_load_all((CASES / "base.yaml").read_text(encoding="utf-8")))


def cases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(CASES.glob("*.yaml")):
        if path.stem != "base":
            found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def scope_of(changes: Mapping[str, Any]) -> Scope:
    """Changes the good stack; fails where a change names what is not there."""
    manifests = base()
    for path, value in changes.items():
        if path == "add":
            manifests += copy.deepcopy(value)
        elif path == "remove":
            wanted = [_find(manifests, name) for name in value]
            manifests = [item for item in manifests if not any(item is one for one in wanted)]
        elif path not in ("registries", "lock"):
            _change(manifests, path, value)
    lock = changes.get("lock")
    return Scope(
        with_config_maps(
            Resource(each, "case") for manifest in manifests for each in taken_apart(manifest)
        ),
        registries=tuple(changes.get("registries", ())),
        carried=lock and Carried(frozenset(lock["digests"]), lock["revision"]),
    )


def _find(manifests: Manifests, name: str) -> dict[str, Any]:
    kind, _, wanted = name.partition("/")
    [found] = [
        item
        for item in manifests
        if item["kind"] == kind and (not wanted or item["metadata"]["name"] == wanted)
    ]
    return found


def _change(manifests: Manifests, path: str, value: Any) -> None:
    first, _, rest = path.partition(" ")
    name, *keys = f"{ALIASES.get(first, first)} {rest}".split()
    place: Any = _find(manifests, name)
    for key in keys[:-1]:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    last = keys[-1]
    if last == "+":
        place.append(value)
    elif last == "-":
        [gone] = [item for item in place if value in (item, _name(item))]
        place.remove(gone)
    elif isinstance(place, list):
        place[int(last)] = value
    elif value is None:
        del place[last]
    else:
        place[last] = value


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None
