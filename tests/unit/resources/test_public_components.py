"""Components that another program makes one by one register what the whole stack registers."""

from __future__ import annotations

import pulumi
import pytest

from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.resources.autoscaling import Autoscaling
from breakeven.resources.component import BreakevenComponent
from breakeven.resources.deployment import register
from breakeven.resources.gateway import Gateway
from breakeven.resources.gpu_pool import create_pool
from breakeven.resources.monitoring import Monitoring
from breakeven.resources.network import NetworkRules, ServingNamespace
from breakeven.resources.serving import VllmServing
from breakeven.settings.stack import Stack
from tests.mock_engine import registered_by
from tests.recording import stack_of


async def registered(component: BreakevenComponent) -> None:
    for resource in (component, *component.resources):
        await resource.urn.future()


async def one_by_one(stack: Stack) -> None:
    [settings] = stack.models
    namespace = ServingNamespace("namespace", stack)
    name: pulumi.Output[str] = namespace.name
    pool = create_pool(stack)
    serving = VllmServing("vllm", settings, pool, namespace=name)
    assert serving.service_name == "model"
    components: list[BreakevenComponent] = [
        namespace,
        pool,
        NetworkRules("network", stack, namespace=name),
        serving,
        Monitoring("monitoring", settings, namespace=name),
    ]
    if settings.replicas.autoscaling:
        components.append(
            Autoscaling("autoscaling", settings, namespace=name, depends_on=[serving.deployment])
        )
    if settings.gateway.is_hybrid:
        gateway = Gateway("gateway", settings, settings.gateway, namespace=name)
        await registered(gateway)
        gateway.start(GatewayFigures.none())
        components.append(gateway)
    for component in components:
        await registered(component)


@pytest.mark.parametrize("stack", ["aws-prod", "hybrid", "on-prem", "owned-h100"])
def test_one_by_one_they_are_the_same_as_together(stack: str) -> None:
    read = stack_of(stack)
    _, separate = registered_by(lambda: one_by_one(read))
    _, together = registered_by(lambda: register(read, GatewayFigures.none))
    assert {each.urn: each for each in separate} == {each.urn: each for each in together}
