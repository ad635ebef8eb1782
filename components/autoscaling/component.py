"""The number of replicas, by the load that vLLM itself reports."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import KitComponent
from components.manifests import custom_resource
from components.monitoring.promql import engine_selector, wanted_requests
from components.serving.labels import NAME
from components.serving.timings import scale_up_period, timings_of
from components.settings_types import Settings
from components.templates import render


class Autoscaling(KitComponent):
    """A KEDA ScaledObject; it owns the Deployment's number of replicas.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        namespace: Namespace of the Deployment.
        depends_on: What must be ready before; the Deployment, so that scaling finds its target.
        opts: Resource options.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        namespace: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        replicas = settings.replicas
        super().__init__(
            "autoscaling:Autoscaling",
            name,
            {"minReplicas": replicas.lowest, "maxReplicas": replicas.highest},
            opts,
        )
        [scaled_object] = render(
            "autoscaling/scaled-object.yaml.j2",
            {
                "name": NAME,
                "lowest": replicas.lowest,
                "highest": replicas.highest,
                "scale_down_seconds": replicas.scale_down_seconds,
                "prometheus": replicas.prometheus_address,
                "selector": engine_selector(settings),
                "wanted": wanted_requests(settings),
                "target_requests": replicas.target_requests,
                "target_waiting": replicas.target_waiting,
                "scale_up_period": scale_up_period(settings),
            },
        )
        self.add(
            custom_resource(
                scaled_object,
                namespace=namespace,
                opts=self.child_options(
                    depends_on=depends_on, timeout_seconds=timings_of(settings).rollout
                ),
            )
        )
        self.register_outputs({})
