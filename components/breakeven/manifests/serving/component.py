"""The model server as a component."""

from __future__ import annotations

from functools import partial

from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import (
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServiceAccount,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

import pulumi
from breakeven.manifests.gpu_pool import GpuPool
from breakeven.manifests.serving.engine import engine_pod
from breakeven.manifests.serving.guard import add_guard
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
from breakeven.manifests.serving.weights import add_weights
from breakeven.resources.component import KitComponent
from breakeven.settings.stack import Settings


class VllmServing(KitComponent):
    """vLLM behind one address: weights, replicas, disruption budget, Service.

    Attributes:
        service_name: Name of the Service.
        deployment: The replicas, a Deployment or a LeaderWorkerSet; ready when all of them are.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        pool: GPU nodes to run on.
        namespace: Namespace to live in.
        opts: Resource options.
    """

    service_name: str
    deployment: pulumi.Resource

    def __init__(
        self,
        name: str,
        settings: Settings,
        pool: GpuPool,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            "serving:VllmServing",
            name,
            {
                "model": settings.model.facts.name,
                "precision": settings.model.precision,
                "engineImage": settings.engine.image,
                "tensorParallel": settings.engine.tensor_parallel,
                "pipelineParallel": settings.engine.pipeline_parallel,
                "minReplicas": settings.replicas.min,
                "maxReplicas": settings.replicas.max,
                "surgeReplicas": settings.surge_replicas,
            },
            opts,
        )
        self.service_name = settings.name
        timings = timings_of(settings)
        account = self.add(
            ServiceAccount(
                settings.name,
                metadata=_metadata(settings, namespace),
                automount_service_account_token=False,
                opts=self.child_options(),
            )
        )
        weights = add_weights(
            self,
            settings,
            pool,
            namespace=namespace,
            service_account=account.metadata.name,
        )
        guard = add_guard(self, settings, namespace=namespace)
        pod = partial(
            engine_pod,
            settings,
            timings,
            pool.scheduling,
            service_account=account.metadata.name,
            weights=weights,
        )
        # After the Jobs, so that no GPU waits, and is paid, while the weights travel.
        options = self.child_options(
            depends_on=[*weights.jobs, guard], timeout_seconds=timings.rollout
        )
        if settings.engine.pipeline_parallel == 1:
            self.deployment = self.add(
                _deployment(settings, timings, _template(settings, pod()), namespace, options)
            )
        else:
            self.deployment = self.add(
                leader_worker_set(
                    settings,
                    leader=_template(settings, pod()),
                    worker=_template(settings, pod(worker=True)),
                    namespace=namespace,
                    opts=options,
                )
            )
        self._add_budget(settings, namespace)
        self._add_service(settings, timings, namespace)
        self.register_outputs({"serviceName": settings.name})

    def _add_budget(self, settings: Settings, namespace: pulumi.Input[str]) -> None:
        self.add(
            PodDisruptionBudget(
                settings.name,
                metadata=_metadata(settings, namespace),
                spec=PodDisruptionBudgetSpecArgs(
                    selector=LabelSelectorArgs(match_labels=engine_labels(settings)),
                    # Not minAvailable: with one replica that would block every drain for ever.
                    max_unavailable=1,
                    # A pod that never became ready must not hold up the repair of its node.
                    unhealthy_pod_eviction_policy="AlwaysAllow",
                ),
                opts=self.child_options(),
            )
        )

    def _add_service(
        self, settings: Settings, timings: Timings, namespace: pulumi.Input[str]
    ) -> None:
        annotations = service_annotations(settings)
        pods = answering_labels(settings)
        spec = address(settings, pods, port=ENGINE_PORT, port_name=ENGINE_PORT_NAME)
        if settings.gateway.is_hybrid:
            # Clients call the gateway, and only that calls the model; with no replica to wait for
            # where the fleet goes down to none.
            annotations = {} if settings.replicas.min else {"pulumi.com/skipAwait": "true"}
            spec = inner_address(pods, port=ENGINE_PORT, port_name=ENGINE_PORT_NAME)
        self.add(
            Service(
                settings.name,
                metadata=_metadata(settings, namespace, annotations),
                spec=spec,
                # Pulumi waits for endpoints, so for the first replica.
                opts=self.child_options(
                    depends_on=[self.deployment], timeout_seconds=timings.startup_budget
                ),
            )
        )


def _deployment(
    settings: Settings,
    timings: Timings,
    template: PodTemplateSpecArgs,
    namespace: pulumi.Input[str],
    options: pulumi.ResourceOptions,
) -> Deployment:
    return Deployment(
        settings.name,
        metadata=_metadata(settings, namespace),
        spec=DeploymentSpecArgs(
            # Left out where KEDA scales: two owners of one field undo each other.
            replicas=None if settings.replicas.autoscaling else settings.replicas.min,
            selector=LabelSelectorArgs(match_labels=engine_labels(settings)),
            strategy=_strategy(rollout_of(settings)),
            progress_deadline_seconds=timings.startup_budget + timings.grace + NODE_START,
            template=template,
        ),
        opts=options,
    )


def _template(settings: Settings, pod: PodSpecArgs) -> PodTemplateSpecArgs:
    return PodTemplateSpecArgs(metadata=ObjectMetaArgs(labels=_pod_labels(settings)), spec=pod)


def _metadata(
    settings: Settings, namespace: pulumi.Input[str], annotations: dict[str, str] | None = None
) -> ObjectMetaArgs:
    return ObjectMetaArgs(
        name=settings.name,
        namespace=namespace,
        labels=described(engine_labels(settings)),
        annotations=annotations or None,
    )


def _pod_labels(settings: Settings) -> dict[str, str]:
    return {
        **described(engine_labels(settings)),
        "app.kubernetes.io/version": ".".join(map(str, settings.engine.version)),
        # OpenCost reads from it whose tokens the pod's GPU hours bought.
        "llm-d.ai/model": settings.model.facts.name,
    }


def _strategy(rollout: Rollout) -> DeploymentStrategyArgs:
    return DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=RollingUpdateDeploymentArgs(
            max_surge=rollout.max_surge, max_unavailable=rollout.max_unavailable
        ),
    )
