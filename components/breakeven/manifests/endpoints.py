"""The addresses of a stack's models."""

from __future__ import annotations

from breakeven.manifests.gateway.labels import GATEWAY
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.settings.stack import Stack


def endpoints_of(stack: Stack) -> dict[str, object]:
    """Returns the stack's outputs with the address of each model."""
    endpoint = f"{stack.entry_scheme}://{{}}.{stack.network.namespace}.svc:{ENGINE_PORT}/v1"
    addresses = {
        model.model.facts.name: endpoint.format(GATEWAY if stack.gateway.is_on else model.name)
        for model in stack.models
    }
    first = next(iter(addresses))
    return {
        "endpoint": addresses[first],
        "model": first,
        **({"endpoints": addresses} if len(addresses) > 1 else {}),
    }
