"""Everything that a stack deploys, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.gpu_pool.pool import Pool, pool_component
from breakeven.manifests.monitoring.component import monitoring_component
from breakeven.manifests.monitoring.cost_rules import planned_cost_component
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.network.namespace import namespace_component
from breakeven.manifests.network.rules import network_component
from breakeven.manifests.resource import Component, Resource
from breakeven.manifests.serving.component import serving_component
from breakeven.settings.stack import FIRST_MODEL, Settings


def render(
    settings: Settings,
    prices: TokenPrices | None = None,
    planned: Sequence[PlannedCost] = (),
) -> tuple[Resource, ...]:
    """Returns all resources of a stack, in the order in which they are registered.

    Args:
        settings: The stack's settings.
        prices: What a token costs, for a gateway's budgets; nothing where None.
        planned: The estimate's figures of each model, for Prometheus; no rules about money without.
    """
    components = (
        *stack_components(settings, prices),
        *planned_cost_components(settings, planned),
    )
    resources = (
        *(resource for component in components for resource in component.resources),
        *(resource for component in components for resource in component.started_last),
    )
    return tuple(replace(resource, manifest=dict(resource.manifest)) for resource in resources)


def stack_components(
    settings: Settings, prices: TokenPrices | None = None
) -> tuple[Component, ...]:
    """Returns the components of a stack, the namespace first; arguments as in `render`."""
    pool = pool_of(settings)
    components = [
        namespace_component("namespace", settings),
        pool_component(settings, pool),
        network_component("network", settings),
    ]
    for model in settings.models:
        components += _served(model, pool)
    if settings.gateway.is_hybrid:
        token_prices = prices or TokenPrices.none()
        components.append(gateway_component("gateway", settings, settings.gateway, token_prices))
    return tuple(components)


def planned_cost_components(
    settings: Settings, planned: Sequence[PlannedCost]
) -> tuple[Component, ...]:
    """Returns what is made from a stack's own estimate; arguments as in `render`."""
    if not settings.monitoring.enabled or not planned:
        return ()
    return tuple(
        planned_cost_component(_of("planned-cost", model), model, figures)
        for model, figures in zip(settings.models, planned, strict=True)
    )


def _served(model: Settings, pool: Pool) -> Iterator[Component]:
    """Yields what one model of the stack has for itself."""
    yield serving_component(_of("vllm", model), model, pool)
    if model.replicas.autoscaling:
        yield autoscaling_component(_of("autoscaling", model), model)
    if model.monitoring.enabled:
        yield monitoring_component(_of("monitoring", model), model)


def _of(component: str, model: Settings) -> str:
    """Returns a component's name in the program: of the first model without the model's."""
    return component if model.name == FIRST_MODEL else f"{component}-{model.model.facts.name}"
