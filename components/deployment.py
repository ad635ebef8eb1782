"""The deployment itself: which components a stack has, and when all are registered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pulumi

from components.autoscaling import Autoscaling
from components.base import KitComponent
from components.gpu_pool import create_pool
from components.monitoring import Monitoring
from components.network import NetworkRules, ServingNamespace
from components.project import own_values
from components.serving import VllmServing
from components.serving.rollout import rollout_of
from components.settings import parse
from components.settings_types import Settings


async def deploy() -> dict[str, object]:
    """Registers the stack without counting its cost; the benchmark compares the program with it.

    Raises:
        SettingsError: The stack file has mistakes; nothing was registered.
    """
    settings, reader = parse(configuration())
    reader.raise_problems(pulumi.get_stack())
    return await register(settings)


def configuration() -> Mapping[str, str]:
    """Returns what the stack states, by key without prefix, in Pulumi's wire form."""
    return own_values(pulumi.runtime.config.get_config_env())


async def register(settings: Settings) -> dict[str, object]:
    """Creates all components and waits until each resource is registered; returns their outputs."""
    namespace = ServingNamespace("namespace", settings)
    pool = create_pool(settings)
    serving = VllmServing("vllm", settings, pool, namespace=namespace.name)
    components: list[KitComponent] = [namespace, pool, serving]
    components.append(NetworkRules("network", settings, namespace=namespace.name))
    if settings.replicas.autoscaling:
        # After the Deployment: the scaler waits for its target, and would wait in vain for one
        # whose weights could not be fetched.
        components.append(
            Autoscaling(
                "autoscaling",
                settings,
                namespace=namespace.name,
                depends_on=[serving.deployment],
            )
        )
    if settings.monitoring.enabled:
        components.append(Monitoring("monitoring", settings, namespace=namespace.name))
    resources = [
        resource for component in components for resource in (component, *component.resources)
    ]
    await asyncio.gather(*(resource.urn.future() for resource in resources))
    return {
        "endpoint": f"http://{serving.service_name}.{settings.network.namespace}.svc:8000/v1",
        "model": settings.model.facts.name,
        "rollout": rollout_of(settings).explanation,
    }
