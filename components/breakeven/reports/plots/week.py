"""The week hour by hour: what is asked of the fleet, what runs for it, what stands idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.report import Report
from breakeven.reports.formatting import counted
from breakeven.reports.plots.drawing import COLOURS, Picture, Size
from breakeven.reports.plots.series import week_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HOURS_PER_DAY = 24


def week(report: Report, model: ModelCost) -> Picture:
    """Returns the picture of the hours for which one model's replicas are simulated."""
    served = model.assumptions
    days = len(served.load.shape) // _HOURS_PER_DAY
    busy = model.busy_share
    peak = counted(served.simulated.totals.peak_replicas, "replica")
    nodes = f"{model.mean_nodes:.2f}"
    several = bool(report.assumptions.others)
    of_model = f" of {served.model_name}" if several else ""
    return Picture(
        name=f"week-{served.instance}" if several else "week",
        title=f"Utilization of the GPUs{of_model}, hour by hour",
        description=(
            f"Over {counted(days, 'day')}: {nodes} nodes on average, at most {peak}. "
            f"{busy:.0%} of the paid capacity serves requests; {1 - busy:.0%}, in gray, is idle: "
            "quiet hours, starts, and replicas that wait to be removed or are there for safety. "
            "Hourly means of a simulation, not a measurement."
        ),
        height=420,
        plot=lambda figure, size: _plot(figure, size, served),
    )


def _plot(figure: Figure, size: Size, served: Assumptions) -> None:
    series = week_series(served)
    edges = np.arange(len(series.paid) + 1) / _HOURS_PER_DAY
    demand, paid = series.demand, series.paid
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.stairs(demand, edges, fill=True, color=COLOURS["own"], label="Serving requests")
    above.stairs(
        paid,
        edges,
        baseline=demand,
        fill=True,
        facecolor=COLOURS["idle"],
        alpha=0.45,
        label="Idle, but paid for",
    )
    above.stairs(
        series.peak,
        edges,
        baseline=None,
        color=COLOURS["api"],
        lw=1,
        label="Peak minute of the hour",
    )
    above.stairs(
        series.replicas, edges, baseline=None, color=COLOURS["ink"], lw=1.5, label="Replicas"
    )
    _heading(above, "replicas")
    below.stairs(series.nodes, edges, baseline=None, color=COLOURS["ink"], lw=1.5)
    _heading(below, "nodes paid for")
    for axes in (above, below):
        axes.set_ylim(0, None)
        axes.yaxis.get_major_locator().set_params(integer=True)
    below.set_xlim(0, edges[-1])
    below.set_xticks(np.arange(0, edges[-1] + 1, 2 if size.narrow else 1))
    below.set_xlabel("days")
    figure.legend(loc="outside lower left", ncols=1 if size.narrow else 2)


def _heading(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=11, color=COLOURS["faint"])
