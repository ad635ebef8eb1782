"""Manifests from files, and from what a program registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from breakeven.errors import UserError
from breakeven.policy.manifest import Resource, at, listed
from breakeven.yaml_documents import documents_in, read_documents

_SUFFIXES = (".yaml", ".yml", ".json")
_TYPE_PREFIX = "kubernetes:"


class ManifestError(UserError):
    """Manifests that cannot be read."""


def read_manifests(path: Path) -> tuple[Resource, ...]:
    """Reads all manifests of a file, or of a folder and its subfolders.

    Args:
        path: A YAML or JSON file, or a folder with .yaml, .yml and .json files. Documents without
            kind are skipped,
        lists are flattened.

    Raises:
        ManifestError: The path does not exist, a file is not YAML, or there are no manifests.
    """
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file()
        )
    elif path.is_file():
        files = [path]
    else:
        msg = (
            f"{path}: file or folder not found. Name a file or folder with manifests as YAML or "
            "JSON"
        )
        raise ManifestError(msg)
    resources = tuple(
        Resource(manifest, str(file))
        for file in files
        for document in _documents(file)
        for manifest in taken_apart(document)
    )
    if not resources:
        msg = (
            f"{path}: found no manifests in {len(files)} file{'' if len(files) == 1 else 's'}. "
            "Allowed: .yaml, .yml, .json with apiVersion and kind"
        )
        raise ManifestError(msg)
    return resources


def as_manifests(
    kind: str, name: str, properties: Mapping[str, Any], source: str
) -> tuple[Resource, ...]:
    """Returns the manifests of a program's resource; none if it is not from Kubernetes.

    A list of manifests is flattened; anything else is one manifest.

    Args:
        kind: Type token, such as "kubernetes:apps/v1:Deployment".
        name: Name in the program.
        properties: Inputs; UNKNOWN where they are not known yet.
        source: URN, or another name of the resource for the reader.
    """
    if not kind.startswith(_TYPE_PREFIX):
        return ()
    version, _, short = kind.removeprefix(_TYPE_PREFIX).rpartition(":")
    # The type's group is "core" where Kubernetes writes none.
    stated = {"apiVersion": version.removeprefix("core/"), "kind": short}
    given = {key: value for key, value in properties.items() if value is not None}
    return tuple(Resource(manifest, source, name) for manifest in taken_apart({**stated, **given}))


def _documents(file: Path) -> list[Any]:
    try:
        return read_documents(file)
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        reason = " ".join(str(error).split())
        msg = f"{file}: invalid YAML ({reason}). Fix the file, or name a folder without it"
        raise ManifestError(msg) from error


def taken_apart(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yields a manifest, or those of a list. An item without kind gets the list's, as in kubectl.

    Args:
        document: Any value; one that is not a manifest yields nothing.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        return
    kind, items = document["kind"], listed(document.get("items"))
    is_list = kind.endswith("List") and "items" in document
    if not is_list or not all(isinstance(item, Mapping) for item in items):
        yield document
        if "." in str(document.get("apiVersion")).partition("/")[0]:
            home = at(document, "metadata", "namespace")
            yield from (each for key in document for each in _carried(document[key], home))
        return
    stated = {"apiVersion": document.get("apiVersion"), "kind": kind.removesuffix("List")}
    for item in items:
        yield from taken_apart(item if item.get("kind") else {**stated, **item, **stated})


def _carried(value: Any, home: Any) -> Iterator[Mapping[str, Any]]:
    """Yields manifests that another resource holds, for its controller to apply.

    Those with pods are left out where they are not text: their pods are found in the holder.

    Args:
        value: Anything below the holder.
        home: Namespace of the holder, which those without one are taken to be in.
    """
    if isinstance(value, str):
        if "apiVersion" in value and "kind" in value:
            for document in _documents_of(value):
                yield from taken_apart(document)
        return
    if isinstance(value, Mapping) and _is_manifest(value):
        placed = {**value, "metadata": {"namespace": home, **value["metadata"]}} if home else value
        if not Resource(placed).pods:
            yield placed
    for item in value.values() if isinstance(value, Mapping) else listed(value):
        yield from _carried(item, home)


def _is_manifest(value: Mapping[str, Any]) -> bool:
    stated = value.get("apiVersion"), value.get("kind")
    named = all(isinstance(each, str) for each in stated)
    return named and isinstance(value.get("metadata"), Mapping)


def _documents_of(text: str) -> list[Any]:
    try:
        return documents_in(text)
    except yaml.YAMLError:
        return []
