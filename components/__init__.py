"""Breakeven: self-hosted LLM serving on Kubernetes as Pulumi components, with its full cost.

What other programs may import from here stays as it is within a minor version. It is loaded when it
is first asked for, so that the cost module works where no Pulumi is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.autoscaling import Autoscaling
    from components.breakeven import price_stack
    from components.deployment import register
    from components.gateway import Gateway, TokenPrices
    from components.gpu_pool import GpuPool, create_pool
    from components.monitoring import Monitoring
    from components.network import NetworkRules, ServingNamespace
    from components.serving import VllmServing
    from components.settings import parse
    from components.settings_types import Settings

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
    "Autoscaling": "autoscaling",
    "Gateway": "gateway",
    "GpuPool": "gpu_pool",
    "Monitoring": "monitoring",
    "NetworkRules": "network",
    "ServingNamespace": "network",
    "Settings": "settings_types",
    "TokenPrices": "gateway",
    "VllmServing": "serving",
    "create_pool": "gpu_pool",
    "parse": "settings",
    "price_stack": "breakeven",
    "register": "deployment",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
