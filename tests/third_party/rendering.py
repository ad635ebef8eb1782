"""What a stack renders, as a file that the checkers of others read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from breakeven.manifests.yaml_text import yaml_text
from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import Resource

_KNOWN = ("Deployment", "Job")
"""Kinds with pods that every checker knows."""
_WORKER_INDEX = "leaderworkerset.sigs.k8s.io/worker-index"
"""Label that the controller of LeaderWorkerSets gives to each pod; the leader has 0."""


def render(stack: str, folder: Path) -> Path:
    """Writes all manifests of a stack into one file.

    Pods of a custom resource, which the checkers would pass over, are written once more as Pods,
    leader and worker of a LeaderWorkerSet each.
    """
    path = folder / f"{stack}.yaml"
    manifests = [
        manifest
        for resource in manifests_of_stack(stack)[0]
        for manifest in (resource.manifest, *_pods_of(resource))
    ]
    path.write_text(yaml_text(*manifests), encoding="utf-8")
    return path


def _pods_of(resource: Resource) -> Iterator[dict[str, Any]]:
    if resource.kind in _KNOWN:
        return
    for number, pod in enumerate(resource.pods):
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{resource.name}-{number}",
                "namespace": pod.namespace,
                "labels": {**pod.labels, _WORKER_INDEX: str(number)},
            },
            "spec": pod.spec,
        }
