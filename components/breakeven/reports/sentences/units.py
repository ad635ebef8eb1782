"""What a request of a load is called, and where its measured speed is stated."""

from __future__ import annotations

from breakeven.cost.demand.load import Unit


def in_time(unit: Unit, seconds: float) -> str:
    """Says what the objective of a first token or an answer asks for, such as "requests meet"."""
    if unit == "request":
        return f"requests meet the {seconds:g} s TTFT target"
    return f"{unit}s are answered within {seconds:g} s"


def measured_speed(unit: Unit) -> str:
    """Returns the setting that states what a replica was measured to serve."""
    if unit == "request":
        return "engine.measuredOutputTokensPerSecond"
    return "engine.measuredTextsPerSecond"
