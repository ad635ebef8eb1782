"""Everything that a stack deploys, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from breakeven.errors import Problem, UserError
from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.gpu_pool.pool import Pool, pool_component
from breakeven.manifests.monitoring.component import monitoring_component, scraping_component
from breakeven.manifests.monitoring.cost_rules import planned_cost_component
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.network.namespace import namespace_component
from breakeven.manifests.network.rules import network_component
from breakeven.manifests.resource import Component, Resource
from breakeven.manifests.serving.component import serving_component
from breakeven.settings.checks.disaggregation import undeployable_conflicts
from breakeven.settings.stack import RolloutCandidate, Settings, Stack


def render(
    stack: Stack,
    prices: GatewayFigures | None = None,
    planned: Sequence[PlannedCost] = (),
) -> tuple[Resource, ...]:
    """Returns all resources of a stack, in the order in which they are registered.

    Args:
        stack: The stack.
        prices: What a token costs, for a gateway's budgets; nothing where None.
        planned: The estimate's figures of each model, for Prometheus; no rules about money without.

    Raises:
        UserError: Prefill and decode are on separate replicas, which is estimated and not deployed.
    """
    require_rendered(stack)
    components = (
        *stack_components(stack, prices),
        *planned_cost_components(stack, planned),
    )
    resources = (
        *(resource for component in components for resource in component.resources),
        *(resource for component in components for resource in component.started_last),
    )
    return tuple(replace(resource, manifest=dict(resource.manifest)) for resource in resources)


def require_rendered(stack: Stack) -> None:
    """Refuses what is estimated and not deployed.

    Raises:
        UserError: Prefill and decode are on separate replicas.
    """
    for model in stack.models:
        for conflict in undeployable_conflicts(model):
            problem = Problem(model.keys(conflict.key)[0], conflict.found, conflict.allowed)
            raise UserError(str(problem))


def stack_components(stack: Stack, prices: GatewayFigures | None = None) -> tuple[Component, ...]:
    """Returns the components of a stack, the namespace first; arguments as in `render`."""
    pool = pool_of(stack)
    components = [
        namespace_component("namespace", stack),
        pool_component(stack, pool),
        network_component("network", stack),
    ]
    for model in stack.models:
        components += _served(model, pool)
    for trial in stack.trials:
        components += _tried(trial, pool)
    if stack.gateway.is_on:
        gateway_figures = prices or GatewayFigures.none()
        first = stack.models[0]  # it knows of the others
        components.append(gateway_component("gateway", first, stack.gateway, gateway_figures))
    return tuple(components)


def planned_cost_components(stack: Stack, planned: Sequence[PlannedCost]) -> tuple[Component, ...]:
    """Returns what is made from a stack's own estimate; arguments as in `render`."""
    if not stack.monitoring.enabled or not planned:
        return ()
    return tuple(
        planned_cost_component(_of("planned-cost", model), model, figures)
        for model, figures in zip(stack.models, planned, strict=True)
    )


def _served(model: Settings, pool: Pool) -> Iterator[Component]:
    """Yields what one model of the stack has for itself."""
    yield serving_component(_of("vllm", model), model, pool)
    if model.replicas.autoscaling:
        yield autoscaling_component(_of("autoscaling", model), model)
    if model.monitoring.enabled:
        yield monitoring_component(_of("monitoring", model), model)


def _tried(candidate: RolloutCandidate, pool: Pool) -> Iterator[Component]:
    """Yields what a candidate has for itself: replicas, and nodes where the model's are others."""
    if candidate.has_own_pool:
        pool = pool_of(candidate.stack)
        yield pool_component(candidate.stack, pool)
    settings = candidate.settings
    yield serving_component(_of("vllm", settings), settings, pool)
    if settings.monitoring.enabled:
        yield scraping_component(_of("monitoring", settings), settings)


def _of(component: str, model: Settings) -> str:
    """Returns the name in the program of a component that each model has."""
    return f"{component}-{model.qualifier}" if model.qualifier else component
