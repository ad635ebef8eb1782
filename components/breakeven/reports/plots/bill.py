"""Where the money of self-hosting goes: one bar per line item."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from breakeven.cost.report import Report
from breakeven.reports.formatting import usd
from breakeven.reports.plots.drawing import COLOURS, Picture, Size
from breakeven.reports.sentences.line_items import item_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = 40
"""Pixels of CSS for one bar and the text above it."""


def bill(report: Report) -> Picture:
    """Returns the picture of the bill's lines and the contingency."""
    bars = _bars(report)
    largest = max(bars, key=lambda bar: bar[1])
    people = report.bill.staffing_share
    return Picture(
        name="where",
        title="Monthly cost by line item",
        description=(
            f"Of {usd(report.total)}/month, the largest part is {largest[0]} with "
            f"{usd(largest[1])}. Staffing and its share of the contingency are {people:.0%}."
        ),
        height=_BAR * len(bars) + 20,
        plot=lambda figure, size: _plot(figure, size, bars),
    )


def _bars(report: Report) -> list[tuple[str, Decimal, str]]:
    """Returns label, USD a month and colour of each bar, in the order of the bill.

    A private amount has none: the length of its bar would tell it.
    """
    infrastructure = [
        (item_name(line), line.monthly, "idle" if line.kind == "idle-nodes" else "own")
        for line in report.infrastructure.lines
        if not line.private
    ]
    staffing = [(item_name(line), line.monthly, "people") for line in report.staffing]
    contingency = report.bill.contingency
    reserve = [("Contingency", contingency, "people")] if contingency else []
    return [*infrastructure, *staffing, *reserve]


def _plot(figure: Figure, _size: Size, bars: list[tuple[str, Decimal, str]]) -> None:
    axes = figure.subplots()
    places = range(len(bars))
    drawn = axes.barh(
        list(places),
        [float(monthly) for _, monthly, _ in bars],
        height=0.42,
        color=[COLOURS[colour] for *_, colour in bars],
    )
    for bar, (label, monthly, colour), place in zip(drawn, bars, places, strict=True):
        if colour == "idle":
            bar.set_hatch("///")
        axes.annotate(
            f"{label}: {usd(monthly)}",
            (0, place - 0.28),
            va="bottom",
            ha="left",
            color=COLOURS["ink"],
        )
    axes.set_ylim(len(bars) - 0.5, -0.9)
    axes.set_axis_off()
