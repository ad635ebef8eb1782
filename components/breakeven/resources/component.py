"""What all components of the kit have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import pulumi

_Child = TypeVar("_Child", bound=pulumi.Resource)


class KitComponent(pulumi.ComponentResource):
    """A component that shows its inputs and remembers its children.

    Attributes:
        resources: Every resource that the component made, in order, so that a program can wait
            until all of them are registered.

    Args:
        kind: Type token without the kit's prefix, such as "gpu_pool:GpuPool". It is a part of every
            child's URN: to change it later is to replace the children.
        name: Name in the program.
        inputs: What decides the component's size and price, as plain values. They are registered
            as its properties, where the ledger and policies read them.
        opts: Resource options.
    """

    resources: list[pulumi.Resource]

    def __init__(
        self,
        kind: str,
        name: str,
        inputs: Mapping[str, object],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(f"breakeven:{kind}", name, dict(inputs), opts)
        self.resources = []

    def add(self, resource: _Child) -> _Child:
        """Remembers a child and returns it."""
        self.resources.append(resource)
        return resource

    def child_options(
        self,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        timeout_seconds: int | None = None,
    ) -> pulumi.ResourceOptions:
        """Returns the options of a child.

        Args:
            depends_on: Resources that must be there, and ready, before it.
            timeout_seconds: How long Pulumi waits until it is ready, when it is made and when it is
                changed; Pulumi's own limit where None.
        """
        timeouts = (
            None
            if timeout_seconds is None
            else pulumi.CustomTimeouts(create=f"{timeout_seconds}s", update=f"{timeout_seconds}s")
        )
        return pulumi.ResourceOptions(
            parent=self, depends_on=list(depends_on), custom_timeouts=timeouts
        )
