"""Where self-hosting starts to cost less than an API.

An API's cost is mostly a line through the origin; a fee that is paid at any volume lifts it, and
provisioned throughput bends it. A self-hosted fleet's is a staircase, because GPUs come whole:
each node that is added lifts capacity and cost by a step. The two can cross several times, or
never. Dividing the fixed cost by the API's price, as most calculators do, ignores that the machine
which would be paid off cannot carry that volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.api_curve import ApiCurve
from breakeven.cost.fleet.plan import FleetCurve
from breakeven.cost.gateway import GatewayCurve


@dataclass(frozen=True, slots=True)
class Crossing:
    """A range of volume in which self-hosting costs less than the API.

    Attributes:
        from_tokens_per_day: Lower end.
        to_tokens_per_day: Upper end, or None if it holds up to the largest fleet.
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

    @property
    def first_volume(self) -> int | None:
        """The lowest tokens per day at which self-hosting costs less; None for never."""
        return None if self.never else round(self.cheaper[0].from_tokens_per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staircase:
    """The self-hosted cost as a function of volume, by the same rules as the estimate.

    Attributes:
        peak_rates_per_token: For each hour, requests per second at its peak minute, for one token
            a day.
        requests_per_second_per_node: What one node serves at saturation.
        lowest_nodes: Nodes that run at any volume: the fewest replicas, or those that are there.
        lowest_planned: Nodes that the fewest replicas fill; as `lowest_nodes` but in a fixed pool.
        replicas_follow_load: Whether replicas come and go by the hour; else the peak's run always.
        nodes_follow_load: Whether nodes do so too; else those of the peak are paid at all hours.
        hours_per_start: Node-hours that each start of a node wastes on loading and waiting.
        curve: What the autoscaler makes of planned nodes.
        fixed_monthly: USD per month that does not depend on volume.
        node_monthly: USD per month for one node.
        node_start_monthly: USD per month where one node starts in an hour.
        replica_start_monthly: The same for replicas.
        token_monthly: USD per month for one token a day.
        gateway: How the pods of a gateway follow the volume; None if nothing is paid for them.
        gateway_pod_monthly: USD per month for one of them in each set.
    """

    peak_rates_per_token: NDArray[np.float64]
    requests_per_second_per_node: float
    lowest_nodes: int
    lowest_planned: int
    replicas_follow_load: bool
    nodes_follow_load: bool
    hours_per_start: float
    curve: FleetCurve
    fixed_monthly: Decimal
    node_monthly: Decimal
    node_start_monthly: Decimal
    replica_start_monthly: Decimal
    token_monthly: Decimal
    gateway: GatewayCurve | None = None
    gateway_pod_monthly: Decimal = Decimal(0)

    def steps(self, largest_nodes: int) -> Steps:
        """Returns the steps in rising order, up to `largest_nodes`, `lowest_nodes` or more."""
        rates, lowest = self.peak_rates_per_token, self.lowest_nodes
        if self._every_hour_counts:
            lowest = self.lowest_planned
        else:
            rates = rates[[int(rates.argmax())]]
        # A node that runs at all hours starts once and for all, not every week.
        hours_per_start = self.hours_per_start if len(rates) > 1 else 0.0
        ends, planned, peak_nodes = _sweep(
            tuple(rates.tolist()), lowest, largest_nodes, hours_per_start
        )
        peak_nodes = np.maximum(peak_nodes, self.lowest_nodes)
        if not self.replicas_follow_load:
            planned = peak_nodes.astype(np.float64)
        nodes = self.curve.nodes_paid(planned) if self.nodes_follow_load else peak_nodes
        volumes = ends * self.requests_per_second_per_node
        pods = np.zeros(1) if self.gateway is None else self.gateway.at(volumes)
        return Steps(
            to_tokens_per_day=volumes,
            monthly=float(self.fixed_monthly)
            + float(self.gateway_pod_monthly) * pods
            + float(self.node_monthly) * nodes
            + float(self.node_start_monthly) * self.curve.nodes_started(planned)
            + float(self.replica_start_monthly) * self.curve.replicas_started(planned),
            token_monthly=float(self.token_monthly),
            peak_nodes=peak_nodes,
        )

    @property
    def _every_hour_counts(self) -> bool:
        starts_cost = bool(self.node_start_monthly or self.replica_start_monthly)
        return self.nodes_follow_load or (self.replicas_follow_load and starts_cost)


class HasSteps(Protocol):
    """A cost as a function of volume."""

    @property
    def lowest_nodes(self) -> int:
        """Nodes that run at any volume."""

    def steps(self, largest_nodes: int) -> Steps:
        """Returns the steps in rising order, up to `largest_nodes`, `lowest_nodes` or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Ranges of volume over which the number of nodes of every hour is constant; arrays.

    Attributes:
        to_tokens_per_day: The upper end of each, included; it begins where the one before ends.
        monthly: USD per month on it, but for what grows with each token.
        token_monthly: USD per month for one token a day; one for all steps, and no array.
        peak_nodes: Nodes of the busiest hour.
    """

    to_tokens_per_day: NDArray[np.float64]
    monthly: NDArray[np.float64]
    token_monthly: float
    peak_nodes: NDArray[np.int64]


@lru_cache(maxsize=4)
def _sweep(
    rates: tuple[float, ...], lowest: int, largest_nodes: int, hours_per_start: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Adds node after node as the volume grows; returns ends, mean and peak nodes of the steps.

    The ends are volumes for a node that serves one request a second: they grow with what it really
    serves, while the numbers of nodes do not depend on it, nor on money. So the searches of one
    report, which differ in these, share one sweep.
    """
    counts = np.arange(lowest, largest_nodes + 1)
    by_hour = np.asarray(rates)
    busy = np.flatnonzero(by_hour > 0)
    # Hour h needs its (k+1)-th node beyond the volume at which k nodes are full at its peak.
    full_at = np.outer(1 / by_hour[busy], counts)
    largest = float(full_at.min(axis=0)[-1])
    order = np.argsort(full_at, axis=None, kind="stable")
    nodes = [lowest] * len(rates)
    paid, starts, peak = lowest * len(rates), 0, lowest
    ends: list[float] = []
    means: list[float] = []
    peaks: list[int] = []
    for end, hour in zip(
        full_at.ravel()[order].tolist(), busy[order // len(counts)].tolist(), strict=True
    ):
        if not ends or end > ends[-1]:
            ends.append(end)
            means.append((paid + starts * hours_per_start) / len(rates))
            peaks.append(peak)
        if end >= largest:
            break
        before, here, after = nodes[hour - 1], nodes[hour], nodes[(hour + 1) % len(nodes)]
        starts += (here >= before) - (after > here)
        nodes[hour] = here + 1
        paid += 1
        peak = max(peak, here + 1)
    return np.asarray(ends), np.asarray(means), np.asarray(peaks)


def find_break_even(staircase: HasSteps, api: ApiCurve, largest_nodes: int) -> BreakEven:
    """Finds every range of volume in which self-hosting costs less than the API.

    Between two volumes at which neither a node is added nor the API's price bends, both costs are
    lines, which cross once at most.

    Args:
        staircase: The self-hosted cost by volume.
        api: That of the API.
        largest_nodes: Nodes up to which the fleet may grow, 1 or more; a fleet that is larger
            from the start is tried as it is.
    """
    largest_nodes = max(largest_nodes, staircase.lowest_nodes)
    steps = staircase.steps(largest_nodes)
    ends = steps.to_tokens_per_day
    monthly, peak_nodes = steps.monthly, steps.peak_nodes
    inside = api.bends[api.bends < ends[-1]]
    if len(inside):
        merged = np.union1d(ends, inside)
        at = np.searchsorted(ends, merged)
        ends, monthly, peak_nodes = merged, monthly[at], peak_nodes[at]
    starts = np.concatenate(([0.0], ends[:-1]))
    # What self-hosting saves just after the start of each interval, and at its end.
    first = api.at(starts) - monthly - steps.token_monthly * starts
    last = api.at(ends) - monthly - steps.token_monthly * ends
    pays = (first > 0) | (last > 0)
    crosses = np.divide(first, first - last, out=np.zeros_like(first), where=first != last)
    crossing = starts + (ends - starts) * np.clip(crosses, 0, 1)
    begins = np.where(first >= 0, starts, crossing)
    stops = np.where(last >= 0, ends, crossing)
    # A range goes on where the interval before paid up to its end and this one pays from there, but
    # for rounding.
    up_to_end = np.concatenate(([False], (pays & (stops >= ends * (1 - 1e-9)))[:-1]))
    goes_on = pays & up_to_end & (begins <= starts * (1 + 1e-9))
    opens = np.flatnonzero(pays & ~goes_on)
    closes = np.flatnonzero(pays & ~np.concatenate((goes_on[1:], [False])))
    open_end = len(ends) - 1
    cheaper = tuple(
        Crossing(
            from_tokens_per_day=float(begins[one]),
            to_tokens_per_day=None
            if other == open_end and last[other] >= 0
            else float(stops[other]),
            nodes=int(peak_nodes[one]),
        )
        for one, other in zip(opens, closes, strict=True)
    )
    return BreakEven(cheaper, largest_nodes, float(ends[-1]))
