"""Manifests from files, and from what a program registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from breakeven.errors import UserError
from breakeven.policy.manifest import Resource, listed
from breakeven.yaml_documents import read_documents

_SUFFIXES = (".yaml", ".yml", ".json")
_TYPE_PREFIX = "kubernetes:"


class ManifestError(UserError):
    """Manifests that can't be read."""


def read_manifests(path: Path) -> tuple[Resource, ...]:
    """Reads all manifests of a file or of a folder and those below it.

    Args:
        path: A file of YAML or JSON, or a folder; in it .yaml, .yml and .json are read. Documents
            without kind are passed over, lists are taken apart.

    Raises:
        ManifestError: There is no such path, a file is no YAML, or no manifest is in any.
    """
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file()
        )
    elif path.is_file():
        files = [path]
    else:
        msg = f"{path}: there is no such file or folder. Name one with manifests as YAML or JSON"
        raise ManifestError(msg)
    resources = tuple(
        Resource(manifest, str(file))
        for file in files
        for document in _documents(file)
        for manifest in _manifests(document)
    )
    if not resources:
        msg = (
            f"{path}: no manifest in {len(files)} files. Allowed: .yaml, .yml, .json with "
            "apiVersion and kind"
        )
        raise ManifestError(msg)
    return resources


def as_manifest(
    kind: str, name: str, properties: Mapping[str, Any], source: str
) -> Resource | None:
    """Returns what a program registers as a manifest; None for what is no Kubernetes resource.

    Args:
        kind: Type token, such as "kubernetes:apps/v1:Deployment".
        name: Name in the program.
        properties: Inputs; UNKNOWN where they are not known yet.
        source: URN, or whatever names the resource to a reader.
    """
    if not kind.startswith(_TYPE_PREFIX):
        return None
    version, _, short = kind.removeprefix(_TYPE_PREFIX).rpartition(":")
    # The type's group is "core" where Kubernetes writes none.
    stated = {"apiVersion": version.removeprefix("core/"), "kind": short}
    given = {key: value for key, value in properties.items() if value is not None}
    return Resource({**stated, **given}, source, name)


def _documents(file: Path) -> list[Any]:
    try:
        return read_documents(file)
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        reason = " ".join(str(error).split())
        msg = f"{file}: is no YAML ({reason}). Mend it, or name a folder without it"
        raise ManifestError(msg) from error


def _manifests(document: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        return
    if document["kind"].endswith("List") and "items" in document:
        for item in listed(document["items"]):
            yield from _manifests(item)
    else:
        yield document
