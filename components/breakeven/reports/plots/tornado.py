"""Which input, each moved alone through its range, would change the recommendation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from breakeven.cost.api_cost import api_monthly
from breakeven.cost.bill.registered import Registered
from breakeven.cost.report import Report
from breakeven.cost.sensitivity.monte_carlo import Bar, tornado
from breakeven.cost.sensitivity.ranges import InputRange, default_ranges
from breakeven.cost.sensitivity.scenario import Scenario, ScenarioModel
from breakeven.reports.formatting import usd
from breakeven.reports.plots.drawing import COLOURS, Picture, Size
from breakeven.reports.sentences.inputs import input_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = 44
"""Pixels of CSS for one bar and the text above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado:
    """What the picture needs.

    Attributes:
        against: The API with which self-hosting is compared.
        saving: USD a month that self-hosting saves in the base case; negative where it costs more.
        bars: The inputs, the one that moves the saving most first.
        ranges: The range of each, by the names of `INPUTS`.
    """

    against: str
    saving: Decimal
    bars: Sequence[Bar]
    ranges: Mapping[str, InputRange]


def tornado_of(report: Report, resources: Iterable[Registered]) -> Tornado | None:
    """Moves each input alone through its default range, against the API that costs least.

    None for a stack of several models, whose inputs are not varied; the report's notes say so.

    Args:
        report: The estimate.
        resources: What it was made of.
    """
    if report.assumptions.others:
        return None
    varied = ScenarioModel(resources, report.assumptions)
    ranges = default_ranges(report.assumptions.capacity.error_percent)
    costs = [api_monthly(api, report.assumptions) for api in varied.comparators]
    cheapest = costs.index(min(costs))
    return Tornado(
        against=varied.comparators[cheapest].reference,
        saving=varied.outcome(Scenario()).saving(cheapest),
        bars=tornado(varied, ranges)[cheapest],
        ranges=ranges,
    )


def tornado_picture(tornado: Tornado) -> Picture:
    """Returns the picture of how far each input moves what self-hosting saves."""
    flips = [
        input_name(bar.name).lower() for bar in tornado.bars if bar.flips_at_percent is not None
    ]
    verdict = (
        f"The recommendation flips within the range of: {'; '.join(flips)}."
        if flips
        else "No single input flips the recommendation within its range."
    )
    return Picture(
        name="tornado",
        title="Sensitivity by input",
        description=(
            f"Monthly saving of self-hosting compared with {tornado.against}: "
            f"{usd(tornado.saving)} in the base case, with each input moved alone through its "
            f"range. {verdict}"
        ),
        height=_BAR * len(tornado.bars) + 60,
        plot=lambda figure, size: _plot(figure, size, tornado),
    )


def _plot(figure: Figure, size: Size, tornado: Tornado) -> None:
    axes = figure.subplots()
    stated = float(tornado.saving)
    for place, bar in enumerate(tornado.bars):
        least, most = float(bar.least), float(bar.most)
        # What lies right of nothing saved is an own fleet that costs less.
        for begin, end, colour in (
            (least, min(most, 0.0), COLOURS["api"]),
            (max(least, 0.0), most, COLOURS["own"]),
        ):
            if end > begin:
                axes.barh(place, end - begin, left=begin, height=0.42, color=colour)
        axes.vlines(stated, place - 0.25, place + 0.25, color=COLOURS["ink"], lw=1.5)
        axes.annotate(
            _label(bar, tornado.ranges[bar.name]),
            (0, place - 0.28),
            xycoords=axes.get_yaxis_transform(),
            va="bottom",
            ha="left",
            color=COLOURS["ink"],
        )
    axes.axvline(0, color=COLOURS["faint"], lw=1)
    axes.set_ylim(len(tornado.bars) - 0.5, -0.9)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=3 if size.narrow else 6)
    axes.xaxis.set_major_formatter(lambda value, _: f"${value:,.0f}".replace("$-", "-$"))
    axes.set_xlabel("monthly saving of self-hosting (black: base case)")


def _label(bar: Bar, one: InputRange) -> str:
    words = f"{input_name(bar.name)}, {one.low_percent} to {one.high_percent}%"
    flips = bar.flips_at_percent
    return words if flips is None else f"{words}; flips at {flips}%"
