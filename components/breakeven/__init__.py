"""Breakeven: self-hosted LLM serving on Kubernetes as Pulumi components, with its full cost.

What other programs may import from here stays as it is within a minor version. It is loaded when it
is first asked for, so that the cost module works where no Pulumi is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from breakeven.manifests.autoscaling import Autoscaling
    from breakeven.manifests.gateway import Gateway, TokenPrices
    from breakeven.manifests.gpu_pool import GpuPool, create_pool
    from breakeven.manifests.monitoring import Monitoring
    from breakeven.manifests.network import NetworkRules, ServingNamespace
    from breakeven.manifests.serving import VllmServing
    from breakeven.resources.deployment import register
    from breakeven.resources.price_stack import price_stack
    from breakeven.settings.parse import parse
    from breakeven.settings.stack import Settings

__all__ = [
    "Autoscaling",
    "Gateway",
    "GpuPool",
    "Monitoring",
    "NetworkRules",
    "ServingNamespace",
    "Settings",
    "TokenPrices",
    "VllmServing",
    "create_pool",
    "parse",
    "price_stack",
    "register",
]

__version__ = "0.1.0"

_HOMES = {
    "Autoscaling": "manifests.autoscaling",
    "Gateway": "manifests.gateway",
    "GpuPool": "manifests.gpu_pool",
    "Monitoring": "manifests.monitoring",
    "NetworkRules": "manifests.network",
    "ServingNamespace": "manifests.network",
    "Settings": "settings.stack",
    "TokenPrices": "manifests.gateway",
    "VllmServing": "manifests.serving",
    "create_pool": "manifests.gpu_pool",
    "parse": "settings.parse",
    "price_stack": "resources.price_stack",
    "register": "resources.deployment",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
