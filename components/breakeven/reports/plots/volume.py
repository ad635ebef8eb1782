"""Cost against volume: the staircase of own GPUs, the line of each API, and where they cross."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.api_cost import api_curve
from breakeven.cost.api_curve import ApiCurve
from breakeven.cost.report import BreakEvenAgainst, Report
from breakeven.cost.several_models import Served, high, low, planned
from breakeven.reports.formatting import usd, volume
from breakeven.reports.plots.drawing import COLOURS, Picture, Size
from breakeven.reports.plots.staircase import monthly_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 600
"""Volumes at which the staircase is drawn; more than a wide plot has pixels for."""

_ROOM = 1.4
"""The plot ends this far beyond the planned volume and the break-evens that it shows."""

_FURTHEST = 200
"""A break-even further away than this many times the planned volume would hide all the rest."""


def cost_by_volume(report: Report) -> Picture:
    """Returns the picture of cost against volume."""
    tokens = report.assumptions.tokens_per_day
    largest = tokens * _FURTHEST
    shown = [
        row.loaded.cheaper[0].from_tokens_per_day
        for row in report.break_even
        if not row.loaded.never and row.loaded.cheaper[0].from_tokens_per_day <= largest
    ]
    end = _ROOM * max(tokens, *shown, 0)

    def plot(figure: Figure, size: Size) -> None:
        axes = figure.subplots()
        _staircase(axes, report, np.linspace(0, end, _POINTS))
        for row in report.break_even:
            key, dashes = ("hosted", "-.") if row.api.same_model else ("api", "--")
            volumes = np.linspace(0, end, _POINTS)
            curve = api_curve(row.api.price, report.assumptions)
            name = row.api.price.reference
            label = "API in use" if key == "api" else "Same model hosted"
            if not size.narrow:
                label += f": {name}"
            axes.plot(volumes, curve.at(volumes), dashes, color=COLOURS[key], lw=2, label=label)
            _crossing(axes, row, curve, end)
        _planned(axes, report)
        axes.set_xlim(0, end)
        axes.set_ylim(0, None)
        axes.set_xlabel("tokens per day")
        axes.set_title("USD per month", loc="left", fontsize=11, color=COLOURS["faint"])
        ticks = axes.get_xticks()
        axes.set_xticks(ticks[ticks <= end][:: 2 if size.narrow else 1])
        axes.xaxis.set_major_formatter(lambda value, _: volume(value) if value else "0")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        figure.legend(loc="outside lower left", ncols=1)

    return Picture(
        name="volume",
        title="Monthly cost by volume",
        description=" ".join(_description(report)),
        height=400,
        plot=plot,
    )


def _staircase(axes: Axes, report: Report, volumes: NDArray[np.float64]) -> None:
    error = max(model.capacity.error_percent for model in report.assumptions.models)

    def at(served: Served) -> NDArray[np.float64]:
        return monthly_at(report.staircase(served), volumes)

    axes.fill_between(
        volumes,
        at(high),
        at(low),
        color=COLOURS["own"],
        alpha=0.2,
        lw=0,
        label=f"capacity +/- {error:.0f}%",
    )
    axes.plot(
        volumes,
        at(planned),
        color=COLOURS["own"],
        lw=2.5,
        drawstyle="steps-pre",
        label="Self-hosted, fully loaded",
    )


def _crossing(axes: Axes, row: BreakEvenAgainst, curve: ApiCurve, end: float) -> None:
    if row.loaded.never:
        return
    at = row.loaded.cheaper[0].from_tokens_per_day
    if at > end:
        return
    cost = float(curve.at(np.asarray([at]))[0])
    axes.plot([at], [cost], "o", ms=9, mfc="none", mec=COLOURS["ink"], mew=2, zorder=5)
    axes.annotate(
        f"break-even\n{volume(at)}",
        (at, cost),
        xytext=(-8, 12),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=COLOURS["ink"],
    )


def _planned(axes: Axes, report: Report) -> None:
    tokens, total = report.assumptions.tokens_per_day, float(report.serving_total)
    axes.axvline(tokens, color=COLOURS["ink"], lw=1, ls=":")
    axes.plot(
        [tokens], [total], "s", ms=7, color=COLOURS["ink"], zorder=5, ls="", label="This stack"
    )


def _description(report: Report) -> Iterator[str]:
    stated = volume(report.assumptions.tokens_per_day)
    yield (
        f"The cost of self-hosting rises in steps, node by node; at the planned {stated} tokens "
        f"per day it is {usd(report.serving_total)}/month."
    )
    for row in report.break_even:
        name = row.api.price.reference
        if row.loaded.never:
            yield f"It never costs less than {name} ({usd(row.api.monthly)})."
        else:
            first = volume(row.loaded.cheaper[0].from_tokens_per_day)
            yield f"It costs less than {name} ({usd(row.api.monthly)}) from {first} tokens per day."
