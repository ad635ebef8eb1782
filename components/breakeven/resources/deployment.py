"""The deployment itself: which components a stack has, and when all are registered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import pulumi
from breakeven.errors import UserError
from breakeven.manifests.autoscaling import Autoscaling
from breakeven.manifests.gateway import Gateway, TokenPrices
from breakeven.manifests.gateway.labels import GATEWAY
from breakeven.manifests.gpu_pool import GpuPool, create_pool
from breakeven.manifests.monitoring import Monitoring, PlannedCostRules
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.network import NetworkRules, ServingNamespace
from breakeven.manifests.serving import VllmServing
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.manifests.serving.rollout import rollout_of
from breakeven.resources.component import KitComponent
from breakeven.resources.run_errors import user_errors
from breakeven.settings.files import own_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import FIRST_MODEL, Settings


async def deploy() -> dict[str, object]:
    """Registers the stack without counting its cost; the benchmark compares the program with it.

    Raises:
        RunError: The stack file has mistakes, and nothing was registered; or the stack has a
            gateway, whose budgets need the cost.
    """
    with user_errors():
        settings, reader = parse(configuration())
        reader.raise_problems(pulumi.get_stack())
        return await register(settings, _uncounted)


def configuration() -> Mapping[str, str]:
    """Returns what the stack states, by key without prefix, in Pulumi's wire form."""
    return own_values(pulumi.runtime.config.get_config_env())


async def register(
    settings: Settings, token_prices: Callable[[], TokenPrices]
) -> dict[str, object]:
    """Creates all components and waits until each resource is registered.

    Args:
        settings: The stack's settings.
        token_prices: Asked for what a token costs once everything that costs something is
            registered; only for a stack with a gateway.

    Returns:
        The components' outputs.
    """
    namespace = ServingNamespace("namespace", settings)
    pool = create_pool(settings)
    components: list[KitComponent] = [namespace, pool]
    components.append(NetworkRules("network", settings, namespace=namespace.name))
    for model in settings.models:
        components += _served(model, pool, namespace.name)
    if not settings.gateway.is_hybrid:
        await _wait_for(components)
    else:
        gateway = Gateway("gateway", settings, settings.gateway, namespace=namespace.name)
        components.append(gateway)
        await _wait_for(components)
        gateway.start(token_prices())
        await _wait_for([gateway])
    return {**_outputs(settings), "rollout": rollout_of(settings).explanation}


def _served(model: Settings, pool: GpuPool, namespace: pulumi.Input[str]) -> Iterator[KitComponent]:
    """Makes what one model of the stack has for itself."""
    serving = VllmServing(_of("vllm", model), model, pool, namespace=namespace)
    yield serving
    if model.replicas.autoscaling:
        # After the Deployment: the scaler waits for its target, and would wait in vain for one
        # whose weights could not be fetched.
        yield Autoscaling(
            _of("autoscaling", model),
            model,
            namespace=namespace,
            depends_on=[serving.deployment],
        )
    if model.monitoring.enabled:
        yield Monitoring(_of("monitoring", model), model, namespace=namespace)


def _outputs(settings: Settings) -> dict[str, object]:
    """Returns under which address each model is asked for."""
    endpoint = f"http://{{}}.{settings.network.namespace}.svc:{ENGINE_PORT}/v1"
    addresses = {
        model.model.facts.name: endpoint.format(
            GATEWAY if settings.gateway.is_hybrid else model.name
        )
        for model in settings.models
    }
    first = settings.model.facts.name
    shown: dict[str, object] = {"endpoint": addresses[first], "model": first}
    return {**shown, "endpoints": addresses} if settings.others else shown


def _of(component: str, model: Settings) -> str:
    """Returns a component's name in the program: of the first model without the model's."""
    return component if model.name == FIRST_MODEL else f"{component}-{model.model.facts.name}"


async def _wait_for(components: Iterable[KitComponent]) -> None:
    resources = [
        resource for component in components for resource in (component, *component.resources)
    ]
    await asyncio.gather(*(resource.urn.future() for resource in resources))


def _uncounted() -> TokenPrices:
    msg = "a gateway's budgets need the cost that is not counted here; take a stack without one"
    raise UserError(msg)


async def register_planned_cost(settings: Settings, planned: Sequence[PlannedCost]) -> None:
    """Puts the estimate's figures into Prometheus, where the stack is monitored; call it last.

    Args:
        settings: The stack's settings.
        planned: The figures of each model, from the estimate of what `register` registered.
    """
    if settings.monitoring.enabled:
        await _wait_for(
            PlannedCostRules(
                _of("planned-cost", model), model, figures, namespace=settings.network.namespace
            )
            for model, figures in zip(settings.models, planned, strict=True)
        )
