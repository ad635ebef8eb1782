"""The figures behind two plots: cost against volume, and the week hour by hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.api_cost import api_curve
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.report import BreakEvenAgainst, Report
from breakeven.cost.several_models import Served, high, low, planned
from breakeven.reports.plots.staircase import monthly_at

Floats = NDArray[np.float64]

_ROOM = 1.4
"""The plot ends this far beyond the planned volume and the break-evens that it shows."""

_FURTHEST = 200
"""A break-even further away than this many times the planned volume would hide all the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiLine:
    """What an API costs at each volume.

    Attributes:
        name: The API, as provider/model.
        same_model: Whether it serves the stack's model.
        monthly: USD a month at each volume.
        crossing: Tokens a day from which self-hosting costs less, and USD a month there; None
            where that is never, or beyond the volumes.
    """

    name: str
    same_model: bool
    monthly: Floats
    crossing: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSeries:
    """Cost against volume, in USD a month.

    Attributes:
        volumes: Tokens a day.
        own: Self-hosted, fully loaded.
        low: The same at the upper end of the capacity's band.
        high: The same at its lower end.
        apis: The APIs compared with.
        planned: Tokens a day of the stack, and what it costs.
    """

    volumes: Floats
    own: Floats
    low: Floats
    high: Floats
    apis: tuple[ApiLine, ...]
    planned: tuple[float, float]


def volume_series(report: Report, points: int) -> VolumeSeries:
    """Returns what self-hosting and each API cost from no traffic to beyond the break-evens.

    Args:
        report: The estimate.
        points: How many volumes, 2 or more.
    """
    tokens = report.assumptions.tokens_per_day
    largest = tokens * _FURTHEST
    shown = [
        row.loaded.cheaper[0].from_tokens_per_day
        for row in report.break_even
        if not row.loaded.never and row.loaded.cheaper[0].from_tokens_per_day <= largest
    ]
    volumes = np.linspace(0, _ROOM * max(tokens, *shown, 0), points)

    def at(served: Served) -> Floats:
        return monthly_at(report.staircase(served), volumes)

    return VolumeSeries(
        volumes=volumes,
        own=at(planned),
        low=at(high),
        high=at(low),
        apis=tuple(_api_line(row, report, volumes) for row in report.break_even),
        planned=(float(tokens), float(report.serving_total)),
    )


def _api_line(row: BreakEvenAgainst, report: Report, volumes: Floats) -> ApiLine:
    curve = api_curve(row.api.price, report.assumptions)
    crossing = None
    if not row.loaded.never:
        at = float(row.loaded.cheaper[0].from_tokens_per_day)
        if at <= volumes[-1]:
            crossing = (at, float(curve.at(np.asarray([at]))[0]))
    return ApiLine(
        name=row.api.price.reference,
        same_model=row.api.same_model,
        monthly=curve.at(volumes),
        crossing=crossing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSeries:
    """The simulated hours of one model, in replicas but for the nodes.

    Attributes:
        demand: Busy with requests.
        paid: Paid for.
        peak: Needed by the peak minute of the hour.
        replicas: Running.
        nodes: Nodes paid for.
    """

    demand: Floats
    paid: Floats
    peak: Floats
    replicas: Floats
    nodes: Floats


def week_series(served: Assumptions) -> WeekSeries:
    """Returns the simulated hours of one model."""
    one, rates = served.capacity.requests_per_second, served.load.requests_per_second()
    nodes = np.asarray(served.simulated.nodes)
    paid = nodes * served.fleet.replicas_per_node
    return WeekSeries(
        demand=np.minimum(rates / one, paid),
        paid=paid,
        peak=rates * served.load.burst_factor / one,
        replicas=np.asarray(served.simulated.replicas),
        nodes=nodes,
    )
