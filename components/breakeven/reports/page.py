"""The report as one page of HTML that needs nothing else."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from breakeven.cost.currency import US_DOLLAR
from breakeven.cost.report import Report
from breakeven.reports import tables
from breakeven.reports.availability import availability
from breakeven.reports.formatting import shown_in, usd, usd_per_million
from breakeven.reports.plots.bill import bill
from breakeven.reports.plots.drawing import SIZES, Picture, drawn
from breakeven.reports.plots.tornado import Tornado, tornado_picture
from breakeven.reports.plots.volume import cost_by_volume
from breakeven.reports.plots.week import week
from breakeven.reports.quality import solved_tasks
from breakeven.reports.rollouts.candidate import compared_candidates
from breakeven.reports.sentences.recommendation import summary


def page(report: Report, tornado: Tornado | None) -> str:
    """Returns a self-contained page: figures, plots, tables and where each number comes from.

    Args:
        report: The estimate.
        tornado: What each input alone does to it; None for a stack of several models.

    Raises:
        ModuleNotFoundError: Matplotlib, which draws the plots, is not installed.
    """
    with shown_in(report.assumptions.currency):
        return _page(report, tornado)


def _page(report: Report, tornado: Tornado | None) -> str:
    cheapest = report.compared_hosted
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            style=style(),
            stack=report.assumptions.stack,
            today=report.assumptions.book.today.isoformat(),
            served=tables.heading(report),
            summary=summary(report.verdict),
            findings=tables.findings(report),
            key_figures=[
                ("Self-hosted, monthly", usd(report.total)),
                ("Cost per 1M tokens", usd_per_million(report.usd_per_million_tokens)),
                ("API in use, monthly", usd(report.api.monthly)),
                *(
                    [("Hosted API for the same model, monthly", usd(cheapest.monthly))]
                    if cheapest
                    else []
                ),
            ],
            options=tables.options(report),
            pictures=_pictures(report, tornado),
            tables=[
                *solved_tasks(report),
                *([tables.levers(report)] if report.levers is not None else []),
                tables.self_hosted(report),
                *([tables.by_model(report)] if report.assumptions.others else []),
                *compared_candidates(report),
                tables.by_api(report),
                tables.break_even(report),
                *([availability(report)] if report.availability is not None else []),
                tables.sources(report),
            ],
        )
    )


def _pictures(report: Report, tornado: Tornado | None) -> list[dict[str, object]]:
    """Returns the plots, whose axes are in USD."""
    with shown_in(US_DOLLAR):
        return [
            _figure(picture)
            for picture in (
                cost_by_volume(report),
                *(week(report, model) for model in report.models),
                bill(report),
                *([tornado_picture(tornado)] if tornado is not None else []),
            )
        ]


def _figure(picture: Picture) -> dict[str, object]:
    # Drawn here from figures and escaped labels; the template escapes everything else.
    drawings = {size.name: Markup(drawn(picture, size)) for size in SIZES}  # noqa: S704
    return {
        "name": picture.name,
        "title": picture.title,
        "description": picture.description,
        "drawings": drawings,
    }


@cache
def templates() -> Environment:
    """Returns what renders the templates of pages; everything in them is escaped."""
    return Environment(
        loader=PackageLoader("breakeven.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def style() -> Markup:
    """Returns the style sheet that all pages begin with."""
    text = (resources.files(__package__) / "page.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  # of this package
