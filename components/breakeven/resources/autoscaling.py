"""Scaling of replicas by KEDA, registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pulumi

from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.resources.component import BreakevenComponent
from breakeven.settings.stack import Settings


class Autoscaling(BreakevenComponent):
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
        component = autoscaling_component(name, settings)
        # The program says what it waits for: the Deployment is in another component.
        resources = tuple(replace(each, depends_on=()) for each in component.resources)
        super().__init__(
            replace(component, resources=resources),
            namespace=namespace,
            depends_on=depends_on,
            opts=opts,
        )
