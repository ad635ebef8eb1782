"""Namespace and network rules, registered."""

from __future__ import annotations

import pulumi

from breakeven.manifests.network.namespace import namespace_component
from breakeven.manifests.network.rules import network_component
from breakeven.resources.component import BreakevenComponent
from breakeven.resources.registration import name_of
from breakeven.settings.stack import Stack


class ServingNamespace(BreakevenComponent):
    """A namespace in which only pods of the restricted security standard start.

    Attributes:
        name: Its name, known once it is there.
    """

    name: pulumi.Output[str]

    def __init__(
        self, name: str, stack: Stack, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(namespace_component(name, stack), opts=opts)
        self.name = name_of(self)


class NetworkRules(BreakevenComponent):
    """Nothing may talk, but for what is named here.

    Args:
        name: Name in the program.
        stack: The stack.
        namespace: Namespace to live in.
        opts: Resource options.
    """

    def __init__(
        self,
        name: str,
        stack: Stack,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(network_component(name, stack), namespace=namespace, opts=opts)
