"""The questions that a report answers, as tables of text that Markdown and HTML both lay out."""

from __future__ import annotations

from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.break_even import BreakEven
from breakeven.cost.report import STALE_DAYS, Report
from breakeven.reports.availability import missed_objective
from breakeven.reports.formatting import (
    counted,
    currency_name,
    month_name,
    usd,
    usd_for_one,
    usd_per_million,
    volume,
)
from breakeven.reports.layout import Column, Row, Table
from breakeven.reports.rollouts.candidate import candidate_rows
from breakeven.reports.sentences.apis import api_notes, comparison_caveats, label
from breakeven.reports.sentences.bill import bill_notes
from breakeven.reports.sentences.descriptions import (
    node_name,
    place,
    served_model,
    served_on,
    traffic,
)
from breakeven.reports.sentences.levers import lever_name, lever_notes, lever_settings
from breakeven.reports.sentences.line_items import (
    item_name,
    item_prices,
    item_source,
)
from breakeven.reports.sentences.notes import report_notes
from breakeven.reports.sentences.recommendation import (
    option_name,
    reasons,
    shortfall_sentences,
    summary,
)


def options(report: Report) -> Table:
    """Returns every way to serve the traffic, the recommended one marked."""
    tokens = report.assumptions.tokens_per_month / 10**6
    verdict = report.verdict
    rows = [
        Row(
            (option_name(one), usd(one.monthly), usd_per_million(one.monthly / tokens)),
            "chosen" if one is verdict.chosen else "plain",
        )
        for one in verdict.options
    ]
    if not report.api.decides:
        monthly = report.api.monthly
        cells = (f"Stay on {label(report.api)}", usd(monthly), usd_per_million(monthly / tokens))
        rows.insert(0, Row(cells, "struck"))
    if report.shortfall is not None:
        name = "This stack as configured: too small"
        if not report.week.serves_load:
            name += f", serves {1 - report.week.unserved_share:.1%} of requests"
        price = usd_per_million(report.usd_per_million_tokens)
        rows.append(Row((name, usd(report.total), price)))
    return Table(
        name="options",
        title="Recommendation",
        answer=summary(report.verdict),
        columns=(
            Column("Option"),
            Column("Monthly cost", numeric=True),
            Column("Per 1M tokens", numeric=True),
        ),
        rows=tuple(rows),
        notes=(*reasons(report.verdict), *comparison_caveats(report.assumptions)),
    )


def levers(report: Report) -> Table:
    """Returns which settings would lower the bill, largest saving first."""
    found = report.levers or ()
    rows = [
        Row((f"{lever_name(each)}: {lever_settings(each)}", usd(each.monthly), usd(-each.saving)))
        for each in found
    ]
    return Table(
        name="levers",
        title="What would lower the bill",
        answer=f"{usd(found[0].saving)} at most" if found else "no tried setting",
        columns=(
            Column("Setting"),
            Column("Monthly cost", numeric=True),
            Column("Difference", numeric=True),
        ),
        rows=tuple(rows),
        notes=lever_notes(found),
    )


def self_hosted(report: Report) -> Table:
    """Returns the bill: every line, subtotals and the total."""
    reserve = report.assumptions.staffing.contingency_share
    rows = [
        *(_bill_line(line) for line in report.infrastructure.lines),
        Row(("Infrastructure", "", "", usd(report.infrastructure.monthly)), "sum"),
        *(_bill_line(line) for line in report.staffing),
    ]
    if reserve:
        rows.append(Row((f"Contingency, {reserve:.0%}", "", "", usd(report.bill.contingency))))
    overhead = report.bill.staffing_monthly + report.bill.contingency
    rows += [
        Row(("Staffing and overhead", "", "", usd(overhead)), "sum"),
        Row(("Total", "", "", usd(report.total)), "sum"),
        Row(("Cost per 1M tokens", "", "", usd_per_million(report.usd_per_million_tokens))),
        *candidate_rows(report),
    ]
    return Table(
        name="bill",
        title="Monthly cost of self-hosting",
        answer=usd(report.total),
        columns=(
            Column("Resource"),
            Column("Quantity", numeric=True),
            Column("Unit price", numeric=True),
            Column("Monthly cost", numeric=True),
        ),
        rows=tuple(rows),
        notes=tuple(bill_notes(report)),
    )


def _bill_line(line: LineItem) -> Row:
    return Row((item_name(line), f"{line.quantity:,.2f} {line.unit}", *item_prices(line)))


def by_api(report: Report) -> Table:
    """Returns the same traffic by each API."""
    kinds = ("in use", *("same model" for _ in report.hosted))
    rows = tuple(
        Row(
            (
                label(cost),
                kind,
                usd_for_one(report.usd_per_million_by(cost)),
                usd(cost.monthly),
                # A stack that does not serve the traffic is not a multiple of an API that does.
                f"{report.total / cost.monthly:,.1f}x" if report.shortfall is None else "-",
            ),
            "plain" if cost.decides else "struck",
        )
        for kind, cost in zip(kinds, (report.api, *report.hosted), strict=True)
    )
    answer = f"{usd(report.api.monthly)} with the API in use"
    notes = [f"Prices: {report.api.price.source}, {report.api.price.as_of.isoformat()}."]
    notes += api_notes((report.api, *report.hosted))
    cheapest = report.compared_hosted
    if cheapest is not None:
        answer += f", {usd(cheapest.monthly)} with a hosted API for the same model"
    elif not report.hosted:
        notes.append("No hosted API for the same model is known; name one in api.hosted.")
    return Table(
        name="apis",
        title="Monthly cost of the same traffic with an API",
        answer=answer,
        columns=(
            Column("API"),
            Column("Kind", short=True),
            Column("Per 1M tokens", numeric=True),
            Column("Monthly cost", numeric=True),
            Column("This stack", numeric=True),
        ),
        rows=rows,
        notes=tuple(notes),
    )


def break_even(report: Report) -> Table:
    """Returns from which volume self-hosting costs less."""
    error = f"{max(model.capacity.error_percent for model in report.assumptions.models):.0f}%"
    rows = tuple(
        Row(
            (
                row.api.price.reference,
                *(
                    _first_crossing(result)
                    for result in (
                        row.infrastructure_only,
                        row.loaded,
                        row.loaded_high,
                        row.loaded_low,
                    )
                ),
            )
        )
        for row in report.break_even
    )
    largest = report.break_even[0].loaded
    planned = volume(report.assumptions.tokens_per_day)
    below = (
        'Nodes are added as load grows; peak nodes in parentheses. "never" means not up to '
        f"{largest.largest_nodes} nodes ({volume(largest.largest_tokens_per_day)} tokens per day). "
        f"This stack plans for {planned}."
    )
    return Table(
        name="break-even",
        title="Break-even volume (tokens per day)",
        answer="; ".join(f"{row.cells[2].split(' (')[0]} ({row.cells[0]})" for row in rows),
        columns=(
            Column("Compared with"),
            Column("Infrastructure only", numeric=True),
            Column("Fully loaded", numeric=True),
            Column(f"Capacity +{error}", numeric=True),
            Column(f"Capacity -{error}", numeric=True),
        ),
        rows=rows,
        notes=(below,),
    )


def sources(report: Report) -> Table:
    """Returns where each price and each figure that is not a price comes from."""
    today = report.assumptions.book.today.isoformat()
    lines = [
        Row(
            (
                item_name(line),
                _dated(line, report),
                line.confidence,
                item_source(line),
            )
        )
        for line in (*report.infrastructure.lines, *report.staffing)
    ]
    apis = [
        Row(
            (
                cost.price.reference,
                cost.price.as_of.isoformat(),
                "list",
                cost.price.source,
            )
        )
        for cost in (report.api, *report.hosted)
    ]
    return Table(
        name="sources",
        title="Sources",
        answer=f"{counted(len(lines), 'price')} of this stack, {counted(len(apis), 'API price')}",
        columns=(
            Column("Price"),
            Column("Price as of", short=True),
            Column("Confidence", short=True),
            Column("Source"),
        ),
        rows=(*lines, *apis),
        notes=(
            *report_notes(report),
            f"Stale: more than {STALE_DAYS} days before {today}.",
        ),
    )


def _dated(line: LineItem, report: Report) -> str:
    if line.as_of is None:
        return "stated"
    return line.as_of.isoformat() + (" (stale)" if report.is_stale(line.as_of) else "")


def findings(report: Report) -> tuple[str, ...]:
    """Says what a reader has to know before any figure: which objective the stack misses."""
    too_small = () if report.shortfall is None else shortfall_sentences(report.shortfall)
    return (*too_small, *missed_objective(report))


def heading(report: Report) -> tuple[str, ...]:
    """Returns in sentences what is served and for which traffic."""
    assumptions = report.assumptions
    calendar = (
        f"{month_name(assumptions.calendar)} per month; {currency_name(assumptions.currency)}"
    )
    if not assumptions.others:
        return served_on(assumptions), f"{traffic(assumptions.load)}; {calendar}"
    models = (f"{served_model(model)}: {traffic(model.load)}" for model in assumptions.models)
    where = f"{node_name(assumptions)}{place(assumptions)}"
    return *models, f"on {where}; {calendar}"


def by_model(report: Report) -> Table:
    """Returns what each model costs, of a stack with several."""
    rows = [
        Row(
            (
                model.assumptions.model_name,
                f"{model.mean_nodes:.2f}",
                usd(model.own),
                usd(model.total),
                f"{usd(model.api_monthly)}",
                "unknown" if model.hosted_monthly is None else usd(model.hosted_monthly),
            )
        )
        for model in report.models
    ]
    dearer = [
        model.assumptions.model_name for model in report.models if model.own > model.cheapest_api
    ]
    notes = [
        "Direct cost: nodes, volumes and anything else used by only that model, with contingency.",
        "With shared: the cost that all models share is added in proportion to the direct cost.",
    ]
    if report.assumptions.fleet.fixed_nodes is not None:
        notes.append(
            "The nodes are fixed; they are split by the GPUs that each model's replicas may use."
        )
    elif dearer:
        notes.append(f"An API would cost less than the direct cost of: {', '.join(dearer)}.")
    return Table(
        name="models",
        title="Monthly cost by model",
        answer="; ".join(f"{row.cells[0]} {row.cells[3]}" for row in rows),
        columns=(
            Column("Model"),
            Column("Nodes", numeric=True),
            Column("Direct cost", numeric=True),
            Column("With shared", numeric=True),
            Column("API in use", numeric=True),
            Column("Same model hosted", numeric=True),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _first_crossing(result: BreakEven) -> str:
    """Writes the lowest volume at which it costs less, and its peak nodes; or "never"."""
    if result.never:
        return "never"
    first = result.cheaper[0]
    return f"{volume(first.from_tokens_per_day)} ({first.nodes})"
