"""Replicas that span several nodes: a LeaderWorkerSet in the Deployment's place."""

from __future__ import annotations

from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import PodTemplateSpecArgs

import pulumi
from breakeven.manifests.serving.labels import GROUP_NAME, described, engine_labels
from breakeven.manifests.serving.rollout import rollout_of
from breakeven.manifests.templates import render
from breakeven.resources.custom_resource import custom_resource
from breakeven.settings.stack import Settings


def leader_worker_set(
    settings: Settings,
    *,
    leader: PodTemplateSpecArgs,
    worker: PodTemplateSpecArgs,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """Registers the replicas.

    Args:
        settings: The stack's settings.
        leader: Pod that serves, on a replica's first node.
        worker: Pod on each further node.
        namespace: Namespace to live in.
        opts: Resource options.
    """
    rollout, replicas = rollout_of(settings), settings.replicas
    [manifest] = render(
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
    )
    group = manifest["spec"]["leaderWorkerTemplate"]
    group["leaderTemplate"], group["workerTemplate"] = leader, worker
    return custom_resource(manifest, namespace=namespace, opts=opts)
