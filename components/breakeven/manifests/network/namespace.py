"""The namespace of the model."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

import pulumi
from breakeven.resources.component import KitComponent
from breakeven.settings.stack import Settings


class ServingNamespace(KitComponent):
    """A namespace in which only pods of the restricted security standard start.

    Attributes:
        name: Its name, known once it is there.
    """

    name: pulumi.Output[str]

    def __init__(
        self, name: str, settings: Settings, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("network:ServingNamespace", name, {}, opts)
        namespace = self.add(
            Namespace(
                settings.network.namespace,
                metadata=ObjectMetaArgs(
                    name=settings.network.namespace,
                    labels={
                        "app.kubernetes.io/part-of": "breakeven",
                        "app.kubernetes.io/managed-by": "pulumi",
                        **_restricted(),
                    },
                ),
                opts=self.child_options(),
            )
        )
        self.name = namespace.metadata.name
        self.register_outputs({"name": self.name})


def _restricted() -> dict[str, str]:
    prefix, modes = "pod-security.kubernetes.io/", ("enforce", "audit", "warn")
    return {
        **{f"{prefix}{mode}": "restricted" for mode in modes},
        # What a newer Kubernetes adds to the standard holds from its first day.
        **{f"{prefix}{mode}-version": "latest" for mode in modes},
    }
