"""What a deployment was seen to do: the figures that an estimate can be held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from breakeven.cost.reconciliation.parts import Part

CostCovers: TypeAlias = Literal["machines", "nodes"]


class ObservedError(Exception):
    """Figures that cannot be used; the message names the file, what was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Figures of a running deployment; None for what was not observed.

    Attributes:
        tokens_per_day: Input and output tokens of a mean day, 1 or more.
        input_tokens: Mean input of a request, including cached ones, 1 or more.
        output_tokens: Mean output of a request, 1 or more.
        burst_factor: Peak minute of an hour over that hour's mean, 1 or more.
        output_tokens_per_second: Of one saturated replica, over 0.
        node_price_per_hour: USD for a node-hour, 0 or more.
        mean_nodes: GPU nodes paid, averaged over time, over 0.
        busy_share: Work done over work that the paid nodes could do, over 0 to 1.
        cost_per_month: USD charged for a month of what `cost_covers` names, 0 or more.
        cost_covers: All machines as on the cloud's bill, or only the GPU nodes as OpenCost's
            allocation to a model; people are in neither.
        parts: USD per month for each part of a cloud's bill, to the cent.
        people_per_month: USD that people cost in a month, 0 or more.
        api_per_month: USD that an API took in a month, 0 or more.
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
    parts: Mapping[Part, Decimal] | None = None
    people_per_month: Decimal | None = None
    api_per_month: Decimal | None = None

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
    "people_per_month": "staffingPerMonth",
    "api_per_month": "apiPerMonth",
}
"""How people know the attributes of `Observed`."""


def merge(read: Iterable[tuple[str, Observed]]) -> Observed:
    """Combines the figures of several files.

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
