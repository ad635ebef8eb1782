"""What a deployment was seen to do: the figures that an estimate can be held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

CostCovers: TypeAlias = Literal["machines", "nodes"]


class ObservedError(Exception):
    """Figures that can't be used; the message names the file, what was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Figures of a running deployment; None for what was not observed.

    Attributes:
        tokens_per_day: Input and output tokens of a mean day, 1 or more.
        input_tokens: Mean input of a request, cached ones included, 1 or more.
        output_tokens: Mean output of a request, 1 or more.
        burst_factor: Peak minute of an hour over that hour's mean, 1 or more.
        output_tokens_per_second: Of one saturated replica, over 0.
        node_price_per_hour: USD for a node-hour, 0 or more.
        mean_nodes: GPU nodes paid, averaged over time, over 0.
        busy_share: Work done over work that the paid nodes could do, over 0 to 1.
        cost_per_month: USD charged for a month of what `cost_covers` names, 0 or more.
        cost_covers: All machines as on the cloud's bill, or only the GPU nodes as OpenCost's
            allocation to a model; people are in neither.
    """

    tokens_per_day: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    burst_factor: Decimal | None = None
    output_tokens_per_second: float | None = None
    node_price_per_hour: Decimal | None = None
    mean_nodes: float | None = None
    busy_share: float | None = None
    cost_per_month: Decimal | None = None
    cost_covers: CostCovers | None = None

    def merged(self, other: Observed, name: str) -> Observed:
        """Adds the figures of a further file.

        Args:
            other: Its figures.
            name: Of the file, for messages.

        Raises:
            ObservedError: Both have a figure.
        """
        own = self._known()
        further = other._known()
        if twice := sorted(own.keys() & further.keys()):
            known = ", ".join(_NAMES[field] for field in twice if field in _NAMES)
            msg = f"{name}: {known} also stands in a file before it. Give each figure once"
            raise ObservedError(msg)
        return replace(self, **further)

    def _known(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


HOURS_PER_DAY = 24

PLAIN_FIGURES: Mapping[str, tuple[float, float]] = {
    "tokensPerDay": (1, 1e15),
    "inputTokensPerRequest": (1, 1e6),
    "outputTokensPerRequest": (1, 1e6),
    "burstFactor": (1, 20),
    "outputTokensPerSecondPerReplica": (0.1, 1e7),
    "nodePricePerHour": (0, 10_000),
    "nodeHours": (0.01, 1e9),
    "days": (0.01, 366),
    "busyShare": (0.0001, 1),
    "costPerMonth": (0, 1e12),
}
"""Names of a plain file's figures, with the lowest and the highest value of each; those that are
settings have the settings' limits."""


_NAMES = {
    "tokens_per_day": "tokensPerDay",
    "input_tokens": "inputTokensPerRequest",
    "output_tokens": "outputTokensPerRequest",
    "burst_factor": "burstFactor",
    "output_tokens_per_second": "outputTokensPerSecondPerReplica",
    "node_price_per_hour": "nodePricePerHour",
    "mean_nodes": "nodeHours",
    "busy_share": "busyShare",
    "cost_per_month": "costPerMonth",
}
"""How people know the attributes of `Observed`."""


def from_figures(stated: object, name: str) -> Observed:
    """Reads the figures that somebody wrote down.

    Args:
        stated: What the file holds, as YAML or JSON reads it.
        name: Of the file, for messages.

    Raises:
        ObservedError: It is no mapping of known figures to numbers in range, or `nodeHours` stands
            without the `days` in which they were counted.
    """
    if not isinstance(stated, dict) or not stated:
        msg = f"{name}: no figures. Allowed: lines of FIGURE: NUMBER, of {', '.join(PLAIN_FIGURES)}"
        raise ObservedError(msg)
    if unknown := [str(key) for key in stated if key not in PLAIN_FIGURES]:
        msg = f"{name}: unknown figure {', '.join(unknown)}. Allowed: {', '.join(PLAIN_FIGURES)}"
        raise ObservedError(msg)
    figures = {key: _number(key, value, name) for key, value in stated.items()}
    if ("nodeHours" in figures) != ("days" in figures):
        msg = f"{name}: nodeHours and days belong together: the hours, and in how many days"
        raise ObservedError(msg)

    def whole(key: str) -> int | None:
        return round(figures[key]) if key in figures else None

    def real(key: str) -> float | None:
        return float(figures[key]) if key in figures else None

    hours = real("nodeHours")
    return Observed(
        tokens_per_day=whole("tokensPerDay"),
        input_tokens=whole("inputTokensPerRequest"),
        output_tokens=whole("outputTokensPerRequest"),
        burst_factor=figures.get("burstFactor"),
        output_tokens_per_second=real("outputTokensPerSecondPerReplica"),
        node_price_per_hour=figures.get("nodePricePerHour"),
        mean_nodes=None if hours is None else hours / (float(figures["days"]) * HOURS_PER_DAY),
        busy_share=real("busyShare"),
        cost_per_month=figures.get("costPerMonth"),
        cost_covers="machines" if "costPerMonth" in figures else None,
    )


def merge(read: Iterable[tuple[str, Observed]]) -> Observed:
    """Puts the figures of several files together.

    OpenCost's tokens come from vLLM's counters too, over a window of its own; they yield to any
    other count.

    Args:
        read: Name and figures of each.

    Raises:
        ObservedError: Two files have the same figure.
    """
    files = list(read)
    counted = any(one.tokens_per_day and one.cost_covers != "nodes" for _, one in files)
    whole = Observed()
    for name, observed in files:
        yields = counted and observed.cost_covers == "nodes"
        kept = replace(observed, tokens_per_day=None) if yields else observed
        whole = whole.merged(kept, name)
    return whole


def _number(key: str, value: object, name: str) -> Decimal:
    lowest, highest = PLAIN_FIGURES[key]
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    if not usable or not lowest <= value <= highest:  # type: ignore[operator]  # told by `usable`
        msg = f"{name}: {key}: found {value!r}. Allowed: a number, {lowest:,} to {highest:,.0f}"
        raise ObservedError(msg)
    return Decimal(str(value))
