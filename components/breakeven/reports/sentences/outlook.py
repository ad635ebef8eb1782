"""One-off cost, and the cost of the coming years."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.report import Report
from breakeven.reports.formatting import counted, usd


def outlook_sentences(report: Report) -> Iterator[str]:
    """Returns the payback time of the one-off cost, and the total cost over some years."""
    outlook, api = report.assumptions.outlook, report.api
    name, own = api.price.reference, report.serving_total
    if outlook.one_off:
        months = outlook.payback_months(own, api.monthly)
        paid = "never paid back within ten years"
        if months is not None:
            paid = f"paid back after {counted(months, 'month')}"
        yield (f"One-off cost: {usd(outlook.one_off)}, {paid} by savings compared with {name}.")
    if outlook.years:
        yield (
            f"Over {counted(outlook.years, 'year')}: {usd(outlook.own_total(own))} for "
            f"self-hosting, {usd(outlook.api_total(api.monthly))} with {name}, whose price is "
            f"assumed to change by {outlook.api_change:+.0%} per year."
        )
