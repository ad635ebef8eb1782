"""Estimates of a stack along an axis, and its costs worked out apart from the verdict's code.

The week of a sweep is one day, the mean day of the published service, so that thousands of points
take minutes: the verdict's rules are the same. Many points are searched in one run of the
simulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.registered import Registered
from breakeven.cost.demand.load import normalised, published_shape
from breakeven.cost.estimate import LARGEST_NODES, estimate
from breakeven.cost.fleet.simulation import hours
from breakeven.cost.fleet.simulation.curves import SimulatedFleet, simulated_fleet
from breakeven.cost.fleet.simulation.demand import rates_by_minute
from breakeven.cost.fleet.simulation.enlargement import run_searches
from breakeven.cost.fleet.simulation.hours import Case
from breakeven.cost.report import Report
from breakeven.planning import demand, inputs
from breakeven.planning.offline import LoadedStack, load_values
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.stack import Settings

TODAY = date(2026, 11, 30)
DAY = normalised(np.asarray(published_shape()[0]).reshape(-1, 24).mean(axis=0).tolist())
FLAT_DAY = (1.0,) * 24

_AT_ONCE = 30  # searches of a run; the arrays of more would not stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting that a sweep changes.

    Attributes:
        name: Of the axis.
        lowest: First value; of the volume, in multiples of the stack's own.
        highest: Last value.
        geometric: Whether the steps are ratios.
        is_objective: Whether it is a latency objective. A step of it may take a request in flight
            from every replica at once, which is many nodes where each holds few.
    """

    name: str
    lowest: float
    highest: float
    geometric: bool
    is_objective: bool = False

    def values(self, points: int) -> list[float]:
        """Returns so many values in rising order."""
        spaced = np.geomspace if self.geometric else np.linspace
        return [float(value) for value in spaced(self.lowest, self.highest, points)]


AXES = (
    Axis("volume", 0.02, 20.0, geometric=True),
    Axis("burst", 1.0, 12.0, geometric=False),
    Axis("first token", 0.05, 30.0, geometric=True, is_objective=True),
    Axis("inter-token", 0.005, 1.0, geometric=True, is_objective=True),
    Axis("maximum", 1.0, 200.0, geometric=False),
)


def changes_of(loaded: LoadedStack, axis: Axis, value: float) -> dict[str, object]:
    """Returns the settings of a point, by dotted key."""
    models = loaded.stack.models
    changes: dict[str, object] = {}
    for number, settings in enumerate(models):
        of_model = f"models[{number}]." if len(models) > 1 else ""
        changes |= {
            f"{of_model}{key}": changed for key, changed in _of_model(settings, axis, value).items()
        }
    if axis.name == "maximum":
        changes |= {"pool.gpuQuota": 0, "weights.accessMode": "ReadWriteMany"}
        if not models[0].pool.can_grow:
            nodes = math.ceil(round(value) / models[0].replicas_per_node)
            changes["pool.nodeCount"] = nodes * models[0].engine.pipeline_parallel
    return changes


def _of_model(settings: Settings, axis: Axis, value: float) -> dict[str, object]:
    traffic, replicas = settings.traffic, settings.replicas
    if axis.name == "volume":
        return {"traffic.tokensPerDay": round(traffic.tokens_per_day * value)}
    if axis.name == "burst":
        return {"traffic.burstFactor": f"{value:.4f}"}
    if axis.name == "first token":
        return {"traffic.timeToFirstTokenSeconds": f"{value:.4f}"}
    if axis.name == "inter-token":
        return {"traffic.interTokenLatencySeconds": f"{value:.5f}"}
    most = round(value)
    fewest = min(replicas.min, most) if replicas.autoscaling else most
    return {"replicas.min": fewest, "replicas.max": most}


@dataclass(frozen=True, slots=True)
class Swept:
    """A stack along some axes, simulated.

    Attributes:
        ledger: What it registers.
        own: Its estimate as it is.
        points: What is assumed at each point, by axis.
    """

    ledger: tuple[Registered, ...]
    own: Report
    points: Mapping[str, Sequence[Assumptions]]

    def reports(self, axis: str, *, contested: bool) -> list[Report]:
        """Estimates the points of an axis.

        Args:
            axis: Its name.
            contested: Whether prompts may leave, to an API that costs a tenth more than the stack
                itself does at its own volume: with the prices of today hardly any recommendation
                changes, because a hosted API is so much cheaper.
        """
        return [
            estimate(self.ledger, _contested(one, self.own) if contested else one)
            for one in self.points[axis]
        ]


def sweep(name: str, axes: Sequence[Axis], points: int) -> Swept:
    """Simulates a stack at so many points of each axis."""
    asked: list[tuple[Case, float]] = []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hours, "AVERAGED_HOURS", 24)
        patch.setattr(demand, "published_shape", lambda: (DAY, "a day"))
        patch.setattr(demand, "flat_shape", lambda: FLAT_DAY)
        base = load_values(name, stack_values(name), TODAY)
        ledger = base.ledger()
        [placeholder, *_] = _followed(base.assumptions)

        def noted(rates: Any, burst: float, configuration: Any, low_share: float) -> SimulatedFleet:
            asked.append((Case(rates, burst, configuration), low_share))
            return placeholder

        patch.setattr(inputs, "simulate_fleet", noted)
        loaded = {axis.name: _along(name, base, axis, points) for axis in axes}
        searches = [simulated_fleet(case, low) for case, low in asked]
        parts = (searches[at : at + _AT_ONCE] for at in range(0, len(searches), _AT_ONCE))
        found = (one for part in parts for one in run_searches(part))
        simulated = {
            axis: [_simulated(one, found) for one in every] for axis, every in loaded.items()
        }
        return Swept(ledger, estimate(ledger, base.assumptions), simulated)


def _along(name: str, base: LoadedStack, axis: Axis, points: int) -> list[Assumptions]:
    return [
        load_values(
            name, with_settings(stack_values(name), changes_of(base, axis, value)), TODAY
        ).assumptions
        for value in axis.values(points)
    ]


def _followed(assumptions: Assumptions) -> Iterator[SimulatedFleet]:
    for model in assumptions.models:
        assert model.serving is not None
        assert model.if_slower is not None
        fleet = model.fleet
        yield SimulatedFleet(
            model.simulated, fleet.curve, fleet.curve_by_volume, model.serving, model.if_slower
        )


def _simulated(assumptions: Assumptions, found: Iterator[SimulatedFleet]) -> Assumptions:
    first, *others = (
        replace(
            model,
            fleet=replace(
                model.fleet, curve=followed.curve, curve_by_volume=followed.curve_by_volume
            ),
            simulated=followed.own,
            serving=followed.serving,
            if_slower=followed.if_slower,
        )
        for model, followed in zip(assumptions.models, found, strict=False)
    )
    return replace(first, others=tuple(others))


def _contested(assumptions: Assumptions, own: Report) -> Assumptions:
    """Prices the API in use so that the stack's own volume costs a tenth more by it."""
    dearer = own.total * Decimal("1.1") / own.api.monthly
    first, *others = (
        replace(
            model,
            data_may_leave=True,
            hosted=(),
            api_in_use=replace(
                model.api_in_use,
                usd_per_request=model.api_in_use.usd_per_request * dearer,
                usd_per_million_tokens=model.api_in_use.usd_per_million_tokens * dearer,
            ),
        )
        for model in assumptions.models
    )
    return replace(first, others=tuple(others))


@dataclass(frozen=True, slots=True)
class Costs:
    """What the options of a point cost at the low end of the band, by kind; worked out apart."""

    by_choice: Mapping[str, float]

    def cheapest(self) -> float:
        """Returns the least of them."""
        return min(self.by_choice.values())


def costs_apart(report: Report) -> Costs:
    """Works the costs of a point out by arithmetic of its own.

    APIs: requests of a month times the price of one. Hybrid: every number of nodes from the minutes
    of the load, without the load-duration curve. Self-hosting: nodes times their price, from the
    bill of the fleet that serves everything.
    """
    assumptions = report.assumptions
    days = float(assumptions.calendar.days_per_month)
    found = {"api": 0.0}
    offers = [model.hosted for model in assumptions.models]
    if all(offers):
        found["hosted"] = 0.0
    for model, hosted in zip(assumptions.models, offers, strict=True):
        requests = float(model.load.requests_per_day) * days
        found["api"] += requests * float(model.api_in_use.usd_per_request)
        if all(offers):
            found["hosted"] += requests * min(float(one.usd_per_request) for one in hosted)
    own = next(one for one in report.verdict.options if one.choice == "self-host")
    found["self-host"] = float(own.monthly_if_slower)
    if report.hybrid is not None:
        found["hybrid"] = _hybrid_apart(report, min(found["api"], found.get("hosted", math.inf)))
    return Costs(found)


def _hybrid_apart(report: Report, by_api: float) -> float:
    assumptions, bill = report.assumptions, report.bill
    load = assumptions.load
    minutes = rates_by_minute(load.requests_per_second(), load.burst_factor, seed=0)
    nodes = np.arange(1, LARGEST_NODES + 1)
    fixed, node = float(bill.fixed_monthly), float(bill.node_monthly)
    fixed += float(bill.usd_for_each(Driver.TOKENS)) * assumptions.tokens_per_day
    # All requests pass the gateway, whoever answers them.
    fixed += float(bill.gateway_monthly)
    work = float(bill.usd_for_each(Driver.WORK)) * assumptions.fleet.gpus_per_node
    per_node = assumptions.fleet.replicas_per_node

    def monthly(served: float) -> Any:
        carried = np.minimum(minutes, (nodes * per_node * served)[:, np.newaxis]).sum(axis=1)
        busy = carried / len(minutes) / (per_node * served)
        return fixed + nodes * node + work * busy + by_api * (1 - carried / minutes.sum())

    planned = monthly(assumptions.capacity.requests_per_second)
    slower = monthly(assumptions.capacity.low_requests_per_second)
    return float(slower[int(planned.argmin())])


@dataclass(frozen=True, slots=True)
class Change:
    """Where the recommended option changes between two points."""

    place: int
    before: str
    after: str


def recommended_changes(reports: Sequence[Report]) -> Iterator[Change]:
    """Yields each change of the recommended option along an axis."""
    for place, (one, other) in enumerate(pairwise(reports)):
        if one.verdict.choice != other.verdict.choice:
            yield Change(place, one.verdict.choice, other.verdict.choice)


def crosses(change: Change, costs: Sequence[Costs]) -> bool:
    """Tells whether the costs of both options cross between the points of a change."""
    before, after = costs[change.place].by_choice, costs[change.place + 1].by_choice
    gap_before = before[change.before] - before[change.after]
    gap_after = after[change.before] - after[change.after]
    cent = 0.02
    return gap_before <= cent and gap_after >= -cent


def crossings(costs: Sequence[Costs]) -> list[int]:
    """Returns the places between which another option becomes the cheapest by more than a cent."""
    found = []
    for place, (one, other) in enumerate(pairwise(costs)):
        best = min(one.by_choice, key=one.by_choice.__getitem__)
        if other.by_choice[best] > other.cheapest() + 0.02:
            found.append(place)
    return found


def largest_jump(reports: Sequence[Report]) -> float:
    """Returns the largest rise of the recommended cost from a point to the next.

    In prices of a node, and beyond three times what the volume rises in proportion: where the own
    fleet is small, a node is a large part of it.
    """
    jumps = []
    for one, other in pairwise(reports):
        growth = other.assumptions.tokens_per_day / one.assumptions.tokens_per_day
        rise = other.verdict.monthly - one.verdict.monthly * Decimal(1 + 3 * (growth - 1))
        jumps.append(rise / other.bill.node_monthly)
    return float(max(jumps))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sweep of one axis showed.

    Attributes:
        points: How many.
        changes: Of the recommended option.
        strays: Those of them where no two costs cross, and crossings without a change.
        short: Points at which the configured fleet is too small.
        jump: See `largest_jump`.
    """

    points: int
    changes: list[Change]
    strays: list[int]
    short: int
    jump: float


def findings(reports: Sequence[Report]) -> Findings:
    """Compares the recommendations along an axis with costs that are worked out apart."""
    costs = [costs_apart(report) for report in reports]
    changes = list(recommended_changes(reports))
    may_leave = reports[0].assumptions.data_may_leave
    crossed = set(crossings(costs)) if may_leave else set()
    strays = {one.place for one in changes if not crosses(one, costs)}
    strays |= crossed - {one.place for one in changes}
    return Findings(
        points=len(reports),
        changes=changes,
        strays=sorted(strays),
        short=sum(report.shortfall is not None for report in reports),
        jump=largest_jump(reports),
    )
