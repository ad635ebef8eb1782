"""What the inputs of a sensitivity analysis are called."""

from __future__ import annotations

_NAMES = {
    "capacity": "Requests per second of a replica",
    "tokens": "Tokens per day",
    "node-price": "Price of a GPU node",
    "engineer": "Engineer's share",
    "burst": "Burst factor (peak minute / hourly mean)",
    "api-price": "Price of the APIs",
}


def input_name(name: str) -> str:
    """Names one of the inputs that are varied."""
    return _NAMES[name]
