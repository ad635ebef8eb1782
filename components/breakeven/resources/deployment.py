"""The deployment itself: which components a stack has, and when all are registered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import pulumi

from breakeven.errors import UserError
from breakeven.manifests.gateway.labels import GATEWAY
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.render import planned_cost_components, stack_components
from breakeven.manifests.resource import Component
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.resources.component import BreakevenComponent
from breakeven.resources.network import name_of
from breakeven.resources.run_errors import user_errors
from breakeven.settings.files import own_values
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Stack


async def deploy() -> dict[str, object]:
    """Registers the stack without counting its cost; the benchmark compares the program with it.

    Raises:
        RunError: The stack file has mistakes, and nothing was registered; or the stack has a
            gateway, whose budgets need the cost.
    """
    with user_errors():
        stack, problems = parse(
            own_values(pulumi.runtime.config.get_config_env(), f"Pulumi.{pulumi.get_stack()}.yaml")
        )
        raise_problems(pulumi.get_stack(), problems)
        return await register(stack, _uncounted)


async def register(stack: Stack, token_prices: Callable[[], TokenPrices]) -> dict[str, object]:
    """Creates all components and waits until each resource is registered.

    Args:
        stack: The stack.
        token_prices: Asked for what a token costs; only for a stack with a gateway.

    Returns:
        The components' outputs.
    """
    prices = token_prices() if stack.gateway.is_hybrid else None
    components = stack_components(stack, prices)
    await register_last(components, await register_components(components))
    return outputs_of(stack)


async def register_components(components: Sequence[Component]) -> list[BreakevenComponent]:
    """Registers components, but for what is started last, and waits until all are registered.

    Args:
        components: The namespace first, as `stack_components` returns them.

    Returns:
        The registered components, in the same order.
    """
    first, *others = components
    namespace = BreakevenComponent(first)
    registered = [namespace]
    known: dict[str, pulumi.Resource] = {}
    for component in others:
        made = BreakevenComponent(component, namespace=name_of(namespace), known=known)
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


def outputs_of(stack: Stack) -> dict[str, object]:
    """Returns under which address each model is asked for."""
    endpoint = f"{stack.network.scheme}://{{}}.{stack.network.namespace}.svc:{ENGINE_PORT}/v1"
    addresses = {
        model.model.facts.name: endpoint.format(GATEWAY if stack.gateway.is_hybrid else model.name)
        for model in stack.models
    }
    first = next(iter(addresses))
    return {
        "endpoint": addresses[first],
        "model": first,
        **({"endpoints": addresses} if len(addresses) > 1 else {}),
    }


async def _wait_for(components: Iterable[BreakevenComponent]) -> None:
    resources = [
        resource for component in components for resource in (component, *component.resources)
    ]
    await asyncio.gather(*(resource.urn.future() for resource in resources))


def _uncounted() -> TokenPrices:
    msg = "a gateway's budgets need the cost that is not counted here; take a stack without one"
    raise UserError(msg)


async def register_planned_cost(stack: Stack, planned: Sequence[PlannedCost]) -> None:
    """Puts the estimate's figures into Prometheus, where the stack is monitored; call it last.

    Args:
        stack: The stack.
        planned: The figures of each model, from the estimate of what `register` registered.
    """
    components = planned_cost_components(stack, planned)
    await _wait_for([BreakevenComponent(component) for component in components])
