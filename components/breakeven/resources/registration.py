"""Registers components in their order, and waits for the engine.

Pulumi alone is imported here: the components come as plain data, from another process or from
`breakeven.manifests.render`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pulumi

from breakeven.manifests.resource import Component
from breakeven.resources.component import BreakevenComponent, KubernetesResource


async def register_components(
    components: Sequence[Component], opts: pulumi.ResourceOptions | None = None
) -> list[BreakevenComponent]:
    """Registers components, but for what is started last, and waits until all are registered.

    Args:
        components: The namespace first, as `stack_components` returns them.
        opts: Of every component, such as the provider of another cluster.

    Returns:
        The registered components, in the same order.
    """
    first, *others = components
    namespace = BreakevenComponent(first, opts=opts)
    registered = [namespace]
    known: dict[str, pulumi.Resource] = {}
    for component in others:
        made = BreakevenComponent(component, namespace=name_of(namespace), known=known, opts=opts)
        known |= made.by_key
        registered.append(made)
    await _wait_for(registered)
    return registered


async def register_last(
    components: Sequence[Component], registered: Sequence[BreakevenComponent]
) -> None:
    """Registers what is started once everything else is ready.

    Args:
        components: As `register_components` registered them; what is started last may differ.
        registered: What `register_components` returned.
    """
    for component, made in zip(components, registered, strict=True):
        if component.started_last:
            made.start_last(component.started_last)
            await _wait_for([made])


async def register_beside(components: Iterable[Component]) -> None:
    """Registers components that wait for no other, and waits until all are registered."""
    await _wait_for([BreakevenComponent(component) for component in components])


def name_of(component: BreakevenComponent) -> pulumi.Output[str]:
    """Returns the name of the namespace that a component makes, known once it is there."""
    [namespace] = component.resources
    if not isinstance(namespace, KubernetesResource):
        msg = f"{namespace} is not a namespace"
        raise TypeError(msg)
    return namespace.metadata.apply(lambda metadata: str(metadata["name"]))


async def _wait_for(components: Iterable[BreakevenComponent]) -> None:
    resources = [
        resource for component in components for resource in (component, *component.resources)
    ]
    await asyncio.gather(*(resource.urn.future() for resource in resources))
