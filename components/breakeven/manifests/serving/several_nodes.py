"""Replicas that span several nodes: a LeaderWorkerSet in the Deployment's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.manifests.serving.labels import GROUP_NAME, described, engine_labels
from breakeven.manifests.serving.rollout import rollout_of
from breakeven.manifests.templates import render_manifest
from breakeven.settings.stack import Settings


def leader_worker_set(
    settings: Settings, *, leader: Mapping[str, Any], worker: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the manifest of the replicas.

    Args:
        settings: The stack's settings.
        leader: Template of the pod that serves, on a replica's first node.
        worker: Template of the pod on each further node.
    """
    rollout, replicas = rollout_of(settings), settings.replicas
    manifest = render_manifest(
        "serving/leader-worker-set.yaml.j2",
        {
            "name": GROUP_NAME,
            "labels": described(engine_labels(settings)),
            # Left out where KEDA scales: two owners of one field undo each other.
            "replicas": None if replicas.autoscaling else replicas.min,
            "max_surge": rollout.max_surge,
            "max_unavailable": rollout.max_unavailable,
            "nodes": settings.engine.pipeline_parallel,
        },
        namespace=settings.network.namespace,
    )
    group = manifest["spec"]["leaderWorkerTemplate"]
    group["leaderTemplate"], group["workerTemplate"] = leader, worker
    return manifest
