"""The model server as a component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.manifests.resource import Component, Resource, stated
from breakeven.manifests.serving.engine import engine_pod
from breakeven.manifests.serving.guard import guard_files
from breakeven.manifests.serving.labels import (
    ENGINE_PORT,
    ENGINE_PORT_NAME,
    answering_labels,
    described,
    engine_labels,
)
from breakeven.manifests.serving.rollout import Rollout, rollout_of
from breakeven.manifests.serving.service import address, inner_address, service_annotations
from breakeven.manifests.serving.several_nodes import leader_worker_set
from breakeven.manifests.serving.timings import NODE_START, Timings, timings_of
from breakeven.manifests.serving.weights import Weights, weights_of
from breakeven.settings.stack import Settings


def serving_component(name: str, settings: Settings, pool: Pool) -> Component:
    """Returns vLLM behind one address: weights, replicas, disruption budget, Service.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        pool: GPU nodes to run on.
    """
    return Component(
        type="breakeven:serving:VllmServing",
        name=name,
        namespace=settings.network.namespace,
        inputs={
            "model": settings.model.facts.name,
            "precision": settings.model.precision,
            "engineImage": settings.engine.image,
            "tensorParallel": settings.engine.tensor_parallel,
            "pipelineParallel": settings.engine.pipeline_parallel,
            "minReplicas": settings.replicas.min,
            "maxReplicas": settings.replicas.max,
            "surgeReplicas": settings.surge_replicas,
        },
        resources=tuple(_resources(settings, pool)),
        outputs={"serviceName": settings.name},
    )


def _resources(settings: Settings, pool: Pool) -> Iterator[Resource]:
    timings = timings_of(settings)
    account = _service_account(settings)
    yield account
    weights = weights_of(settings, pool, account)
    yield from weights.resources
    guard = guard_files(settings)
    yield guard
    replicas = _replicas(settings, pool, timings, weights, account=account, guard=guard)
    yield replicas
    yield _disruption_budget(settings)
    yield _service(settings, timings, replicas)


def _service_account(settings: Settings) -> Resource:
    manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _metadata(settings),
        "automountServiceAccountToken": False,
    }
    return Resource(name=settings.name, manifest=manifest)


def _replicas(  # noqa: PLR0913  # one argument for each thing that the pods need
    settings: Settings,
    pool: Pool,
    timings: Timings,
    weights: Weights,
    *,
    account: Resource,
    guard: Resource,
) -> Resource:
    """Returns what owns the pods that serve: a Deployment or a LeaderWorkerSet."""
    pod = partial(
        engine_pod,
        settings,
        timings,
        pool.scheduling,
        service_account=account.manifest["metadata"]["name"],
        weights=weights,
    )
    if settings.engine.pipeline_parallel == 1:
        manifest = _deployment(settings, timings, _template(settings, pod()))
    else:
        manifest = leader_worker_set(
            settings,
            leader=_template(settings, pod()),
            worker=_template(settings, pod(worker=True)),
        )
    # After the Jobs, so that no GPU waits, and is paid, while the weights travel.
    before = (account, *weights.volumes, *weights.jobs, guard)
    return Resource(
        name=manifest["metadata"]["name"],
        manifest=manifest,
        depends_on=tuple(resource.key for resource in before),
        timeout_seconds=timings.rollout,
    )


def _disruption_budget(settings: Settings) -> Resource:
    manifest = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(settings),
        "spec": {
            "selector": {"matchLabels": engine_labels(settings)},
            # Not minAvailable: with one replica that would block every drain forever.
            "maxUnavailable": 1,
            # A pod that never became ready must not hold up the repair of its node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
    return Resource(name=settings.name, manifest=manifest)


def _service(settings: Settings, timings: Timings, replicas: Resource) -> Resource:
    annotations = service_annotations(settings)
    pods = answering_labels(settings)
    spec = address(settings, pods, port=ENGINE_PORT, port_name=ENGINE_PORT_NAME)
    if settings.gateway.is_on:
        # Clients call the gateway, and only that calls the model; with no replica to wait for
        # where the fleet goes down to none.
        annotations = {} if settings.replicas.min else {"pulumi.com/skipAwait": "true"}
        spec = inner_address(settings, pods, port=ENGINE_PORT, port_name=ENGINE_PORT_NAME)
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(settings, annotations),
        "spec": spec,
    }
    return Resource(
        name=settings.name,
        manifest=manifest,
        # Pulumi waits for endpoints, so for the first replica.
        depends_on=(replicas.key,),
        timeout_seconds=timings.startup_budget,
    )


def _deployment(
    settings: Settings, timings: Timings, template: Mapping[str, Any]
) -> dict[str, Any]:
    spec = {
        # Left out where KEDA scales: two owners of one field undo each other.
        "replicas": None if settings.replicas.autoscaling else settings.replicas.min,
        "selector": {"matchLabels": engine_labels(settings)},
        "strategy": _strategy(rollout_of(settings)),
        "progressDeadlineSeconds": timings.startup_budget + timings.grace + NODE_START,
        "template": template,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(settings),
        "spec": stated(spec),
    }


def _template(settings: Settings, pod: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": {"labels": _pod_labels(settings)}, "spec": pod}


def _metadata(settings: Settings, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    return stated(
        {
            "name": settings.name,
            "namespace": settings.network.namespace,
            "labels": described(engine_labels(settings)),
            "annotations": annotations or None,
        }
    )


def _pod_labels(settings: Settings) -> dict[str, str]:
    return {
        **described(engine_labels(settings)),
        "app.kubernetes.io/version": ".".join(map(str, settings.engine.version)),
        # OpenCost reads from it whose tokens the pod's GPU hours bought.
        "llm-d.ai/model": settings.model.facts.name,
    }


def _strategy(rollout: Rollout) -> dict[str, Any]:
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {
            "maxSurge": rollout.max_surge,
            "maxUnavailable": rollout.max_unavailable,
        },
    }
