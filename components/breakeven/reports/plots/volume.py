"""Cost against volume: the staircase of own GPUs, the line of each API, and where they cross."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from breakeven.cost.report import Report
from breakeven.reports.formatting import usd, volume
from breakeven.reports.plots.drawing import COLOURS, Picture, Size
from breakeven.reports.plots.series import ApiLine, VolumeSeries, volume_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 600
"""Volumes at which the staircase is drawn; more than a wide plot has pixels for."""


def cost_by_volume(report: Report) -> Picture:
    """Returns the picture of cost against volume."""
    series = volume_series(report, _POINTS)
    end = series.volumes[-1]

    def plot(figure: Figure, size: Size) -> None:
        axes = figure.subplots()
        _staircase(axes, report, series)
        for line in series.apis:
            key, dashes = ("hosted", "-.") if line.same_model else ("api", "--")
            label = "API in use" if key == "api" else "Same model hosted"
            if not size.narrow:
                label += f": {line.name}"
            axes.plot(series.volumes, line.monthly, dashes, color=COLOURS[key], lw=2, label=label)
            _crossing(axes, line)
        _planned(axes, series)
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


def _staircase(axes: Axes, report: Report, series: VolumeSeries) -> None:
    error = max(model.capacity.error_percent for model in report.assumptions.models)
    axes.fill_between(
        series.volumes,
        series.low,
        series.high,
        color=COLOURS["own"],
        alpha=0.2,
        lw=0,
        label=f"capacity +/- {error:.0f}%",
    )
    axes.plot(
        series.volumes,
        series.own,
        color=COLOURS["own"],
        lw=2.5,
        drawstyle="steps-pre",
        label="Self-hosted, fully loaded",
    )


def _crossing(axes: Axes, line: ApiLine) -> None:
    if line.crossing is None:
        return
    at, cost = line.crossing
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


def _planned(axes: Axes, series: VolumeSeries) -> None:
    tokens, total = series.planned
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
