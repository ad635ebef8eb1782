"""Where self-hosting starts to cost less than an API.

An API's cost is a line through the origin; a self-hosted fleet's is a staircase, because GPUs come
whole: each node that is added lifts capacity and cost by a step. The two can cross several times,
or never. Dividing the fixed cost by the API's price, as most calculators do, ignores that the
machine which would be paid off can't carry that volume.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """A range of volume in which self-hosting costs less than the API.

    Attributes:
        from_tokens_per_day: Lower end.
        to_tokens_per_day: Upper end, or None where it holds up to the largest fleet.
        nodes: Nodes at the peak at the lower end.
    """

    from_tokens_per_day: float
    to_tokens_per_day: float | None
    nodes: int


@dataclass(frozen=True, slots=True)
class BreakEven:
    """All ranges in which self-hosting costs less, up to the largest fleet that was tried.

    Attributes:
        cheaper: The ranges, in rising order; empty for "never".
        largest_nodes: Nodes of the largest fleet that was tried.
        largest_tokens_per_day: What that fleet carries.
    """

    cheaper: tuple[Crossing, ...]
    largest_nodes: int
    largest_tokens_per_day: float

    @property
    def never(self) -> bool:
        """Whether the API costs less at every volume that was tried."""
        return not self.cheaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Staircase:
    """The self-hosted cost as a function of volume, by the same rules as the estimate.

    Attributes:
        peak_rates_per_token: For each hour, requests a second at its peak minute, for one token
            a day.
        requests_per_second_per_node: What one node serves at saturation.
        lowest_nodes: Nodes that run at any volume: the fewest replicas, or those that are there.
        nodes_follow_load: Whether nodes come and go by the hour; else the peak's run at all hours.
        hours_per_start: Node-hours that each start of a node wastes on loading and waiting.
        fixed_monthly: USD a month that does not depend on volume.
        node_monthly: USD a month for one node.
    """

    peak_rates_per_token: NDArray[np.float64]
    requests_per_second_per_node: float
    lowest_nodes: int
    nodes_follow_load: bool
    hours_per_start: float
    fixed_monthly: Decimal
    node_monthly: Decimal

    def steps(self, largest_nodes: int) -> list[Step]:
        """Returns the steps in rising order, up to `largest_nodes`, `lowest_nodes` or more."""
        rates = self.peak_rates_per_token
        if not self.nodes_follow_load:
            rates = rates[[int(rates.argmax())]]
        lowest = self.lowest_nodes
        counts = np.arange(lowest, largest_nodes + 1)
        busy = np.flatnonzero(rates > 0)
        # Hour h needs its (k+1)-th node beyond the volume at which k nodes are full at its peak.
        full_at = np.outer(1 / rates[busy], counts * self.requests_per_second_per_node)
        largest = float(full_at.min(axis=0)[-1])
        # A node that runs at all hours starts once and for all, not every week.
        hours_per_start = self.hours_per_start if len(rates) > 1 else 0.0
        order = np.argsort(full_at, axis=None, kind="stable")
        ends = full_at.ravel()[order].tolist()
        hours = busy[order // len(counts)].tolist()

        nodes = [lowest] * len(rates)
        paid, starts, peak = lowest * len(rates), 0, lowest
        steps: list[Step] = []
        for end, hour in zip(ends, hours, strict=True):
            if not steps or end > steps[-1].to_tokens_per_day:
                mean = (paid + starts * hours_per_start) / len(rates)
                steps.append(Step(end, self.cost_of(mean), peak))
            if end >= largest:
                break
            before, here, after = nodes[hour - 1], nodes[hour], nodes[(hour + 1) % len(nodes)]
            starts += (here >= before) - (after > here)
            nodes[hour] = here + 1
            paid += 1
            peak = max(peak, here + 1)
        return steps

    def cost_of(self, mean_nodes: float) -> float:
        """Returns USD a month with that many nodes on average."""
        return float(self.fixed_monthly) + float(self.node_monthly) * mean_nodes


@dataclass(frozen=True, slots=True)
class Step:
    """A range of volume over which the number of nodes of every hour is constant, and the cost.

    Attributes:
        to_tokens_per_day: Its upper end, included; it begins where the step before ends.
        monthly: USD a month.
        peak_nodes: Nodes of the busiest hour.
    """

    to_tokens_per_day: float
    monthly: float
    peak_nodes: int


def find_break_even(
    staircase: Staircase, api_monthly_per_token_a_day: Decimal, largest_nodes: int
) -> BreakEven:
    """Finds every range of volume in which self-hosting costs less than the API.

    Args:
        staircase: The self-hosted cost by volume.
        api_monthly_per_token_a_day: USD a month that one more token a day costs by API, above 0.
        largest_nodes: Nodes up to which the fleet may grow, 1 or more; a fleet that is larger
            from the start is tried as it is.
    """
    slope = float(api_monthly_per_token_a_day)
    largest_nodes = max(largest_nodes, staircase.lowest_nodes)
    steps = staircase.steps(largest_nodes)
    cheaper: list[Crossing] = []
    start = 0.0
    for step in steps:
        # Within a step the API overtakes at cost / slope, once and for the rest of the step.
        begin = max(start, step.monthly / slope)
        end = step.to_tokens_per_day
        if begin < end:
            if cheaper and cheaper[-1].to_tokens_per_day == start == begin:
                cheaper[-1] = replace(cheaper[-1], to_tokens_per_day=end)
            else:
                cheaper.append(Crossing(begin, end, step.peak_nodes))
        start = end
    if cheaper and cheaper[-1].to_tokens_per_day == start:
        cheaper[-1] = replace(cheaper[-1], to_tokens_per_day=None)
    return BreakEven(tuple(cheaper), largest_nodes, start)
