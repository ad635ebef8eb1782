"""Applies the definitions of custom resources, and what simulated nodes and pods do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rig.api import Api

_DEFINITION = re.compile(r"^kind: CustomResourceDefinition$", re.MULTILINE)
_AT_ONCE = 4
_ESTABLISHED_WITHIN_SECONDS = 120.0


def apply_all(api: Api, folder: Path, names: Sequence[str] = ("",)) -> int:
    """Apply every manifest of a folder, definitions first.

    Args:
        api: The cluster.
        folder: One folder of YAML files for each Go module.
        names: Which of them, by what their paths have; every one if not given.

    Returns:
        How many resources are defined.
    """
    documents = [
        document
        for file in sorted(folder.rglob("*.yaml"))
        if any(name in str(file) for name in names)
        for document in re.split(r"^---$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if document.strip()
    ]
    definitions = [each for each in documents if _DEFINITION.search(each)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(api.apply_text, definitions))
    _await_established(api, len(definitions))
    for document in documents:
        if not _DEFINITION.search(document):
            api.apply_text(document)
    return len(definitions)


def _await_established(api: Api, wanted: int) -> None:
    patience = time.monotonic() + _ESTABLISHED_WITHIN_SECONDS
    while (found := sum(1 for _ in _established(api))) < wanted:
        if time.monotonic() > patience:
            msg = f"of {wanted} definitions only {found} are established"
            raise TimeoutError(msg)
        time.sleep(0.1)


def _established(api: Api) -> Iterator[dict[str, Any]]:
    for each in api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
        conditions = each.get("status", {}).get("conditions") or ()
        if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
            yield each
