"""The program: wires the components, waits for their registration, and shows what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pulumi

from components.autoscaling import Autoscaling
from components.base import KitComponent
from components.gpu_pool import create_pool
from components.monitoring import Monitoring
from components.network import NetworkRules, ServingNamespace
from components.project import own_values
from components.serving import VllmServing
from components.settings import Settings, parse

OLDEST_PULUMI = ">=3.254.0"
"""`pulumi.run` with an async program, on which the cost table rests, is in the SDK from 3.254 on."""


class Estimate(pulumi.ComponentResource):
    """The cost of the stack as a resource without children: its inputs are the report's figures."""

    def __init__(self, name: str, figures: dict[str, object]) -> None:
        super().__init__("breakeven:cost:Estimate", name, figures)
        self.register_outputs({})


async def main() -> dict[str, object]:
    """Registers the stack, shows its cost at preview, and returns the stack's outputs.

    Raises:
        SettingsError: The stack file has mistakes; nothing was registered.
    """
    # Imported here, so that `deploy` alone can be measured without the cost of counting cost.
    from components.cost.estimate import estimate
    from components.cost.ledger import Ledger
    from components.cost.table import render
    from components.costing import assumptions_of

    stack = pulumi.get_stack()
    settings, reader = parse(configuration())
    assumptions = assumptions_of(stack, settings, reader, datetime.now(tz=UTC).date())
    reader.raise_problems(stack)
    if assumptions is None:
        raise AssertionError("assumptions are missing although nothing was rejected")
    ledger = Ledger()
    ledger.attach()
    outputs = await register(settings)
    report = estimate(ledger.entries(), assumptions)
    if pulumi.runtime.is_dry_run():
        pulumi.log.info(render(report))
    # Outputs of the stack are not in `preview --json`; inputs of a resource are, and policies and
    # `--diff` see them too.
    await Estimate("cost", report.as_output()).urn.future()
    return {**outputs, "cost": report.summary()}


async def deploy() -> dict[str, object]:
    """Registers the stack without counting its cost; the benchmark compares `main` with it."""
    settings, reader = parse(configuration())
    reader.raise_problems(pulumi.get_stack())
    return await register(settings)


def configuration() -> Mapping[str, str]:
    """Returns what the stack states, by key without prefix, in Pulumi's wire form."""
    return own_values(pulumi.runtime.config.get_config_env())


async def register(settings: Settings) -> dict[str, object]:
    """Creates all components and waits until each resource is registered."""
    namespace = ServingNamespace("namespace", settings)
    pool = create_pool(settings)
    serving = VllmServing("vllm", settings, pool, namespace=namespace.name)
    components: list[KitComponent] = [namespace, pool, serving]
    components.append(NetworkRules("network", settings, namespace=namespace.name))
    if settings.replicas.autoscaling:
        components.append(Autoscaling("autoscaling", settings, namespace=namespace.name))
    if settings.monitoring.enabled:
        components.append(Monitoring("monitoring", settings, namespace=namespace.name))
    resources = [
        resource for component in components for resource in (component, *component.resources)
    ]
    await asyncio.gather(*(resource.urn.future() for resource in resources))
    return {
        "endpoint": f"http://{serving.service_name}.{settings.network.namespace}.svc:8000/v1",
        "model": settings.model.facts.name,
    }
