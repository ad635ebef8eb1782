"""Custom resource definitions: which ones a stack needs, and the files that define them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from breakeven.bundle.errors import BundleError
from breakeven.bundle.origins import DEFINITIONS, Origin
from breakeven.cost.bill.registered import Registered
from breakeven.yaml_documents import read_documents

_BUILT_IN = ("k8s.io",)
_BUILT_IN_GROUPS = {"core", "apps", "batch", "autoscaling", "policy"}


def needed_definitions(resources: Iterable[Registered]) -> tuple[str, ...]:
    """Returns GROUP/KIND of every custom resource that a stack registers, sorted."""
    needed = set()
    for resource in resources:
        provider, _, rest = resource.type.partition(":")
        group_version, _, kind = rest.partition(":")
        group = group_version.partition("/")[0]
        built_in = group in _BUILT_IN_GROUPS or group.endswith(_BUILT_IN)
        if provider == "kubernetes" and not built_in:
            needed.add(f"{group}/{kind}")
    return tuple(sorted(needed))


def definition_files(
    needed: Sequence[str], folder: Path | None
) -> tuple[Mapping[str, str], list[Origin]]:
    """Finds the file that defines each custom resource.

    Args:
        needed: GROUP/KIND of each.
        folder: With YAML files, in any subfolder; None if the cluster has the
            definitions already.

    Returns:
        The path in the bundle by GROUP/KIND, empty if the cluster has it, and the files.

    Raises:
        BundleError: The folder lacks one.
    """
    if folder is None:
        return dict.fromkeys(needed, ""), []
    defined: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.y*ml")):
        for name in _defined_in(path):
            defined.setdefault(name, path)
    missing = [name for name in needed if name not in defined]
    if missing:
        msg = (
            f"{folder}: no file defines {', '.join(missing)}. Add the CustomResourceDefinitions, "
            "or omit --crds if the cluster has them"
        )
        raise BundleError(msg)
    files = sorted({defined[name] for name in needed})
    places = {path: f"{DEFINITIONS}/{path.relative_to(folder).as_posix()}" for path in files}
    return (
        {name: places[defined[name]] for name in needed},
        [Origin(places[path], path) for path in files],
    )


def _defined_in(path: Path) -> list[str]:
    try:
        documents = read_documents(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: invalid YAML: {' '.join(str(error).split())}"
        raise BundleError(msg) from error
    try:
        return [
            f"{document['spec']['group']}/{document['spec']['names']['kind']}"
            for document in documents
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition"
        ]
    except (KeyError, TypeError) as error:
        msg = f"{path}: a CustomResourceDefinition without group or kind"
        raise BundleError(msg) from error
