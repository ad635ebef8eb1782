"""The questions that a report answers, as tables of text that Markdown and HTML both lay out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from breakeven.catalog.price import PRIVATE
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.break_even import BreakEven
from breakeven.cost.report import OLD_DAYS, Report
from breakeven.formatting import counted, usd, usd_for_one, usd_per_million, volume
from breakeven.reports.layout import Column, Row, Table

_SHOWN_SHARE = 0.0005  # less would read as 0.0%


def options(report: Report) -> Table:
    """Returns every way to serve the traffic, the recommended one marked."""
    tokens = report.assumptions.tokens_per_month / 10**6
    ways: list[tuple[str, str, Decimal]] = [
        ("api", f"Stay on {report.api.price.reference}", report.api.monthly)
    ]
    if report.hosted:
        cheapest = report.hosted[0]
        ways.append(("hosted", f"Same model at {cheapest.price.reference}", cheapest.monthly))
    ways.append(("self-host", "Self-host this stack", report.total))
    if report.hybrid is not None:
        nodes = counted(report.hybrid.nodes, "own node")
        label = f"Hybrid: {nodes} for {report.hybrid.own_share:.0%}, an API for the rest"
        ways.append(("hybrid", label, report.hybrid.monthly))
    rows = tuple(
        Row(
            (label, usd(monthly), usd_per_million(monthly / tokens)),
            "chosen" if choice == report.verdict.choice else "plain",
        )
        for choice, label, monthly in ways
    )
    return Table(
        name="options",
        title="What to do?",
        answer=report.verdict.summary,
        columns=(
            Column("Option"),
            Column("A month", numeric=True),
            Column("A million tokens", numeric=True),
        ),
        rows=rows,
        notes=report.verdict.reasons,
    )


def self_hosted(report: Report) -> Table:
    """Returns the bill: every line, subtotals and the total."""
    reserve = report.assumptions.staffing.contingency_share
    rows = [
        *(_bill_line(line) for line in report.infrastructure.lines),
        Row(("Machines", "", "", usd(report.infrastructure.monthly)), "sum"),
        *(_bill_line(line) for line in report.staffing),
    ]
    if reserve:
        rows.append(Row((f"Contingency, {reserve:.0%}", "", "", usd(report.bill.contingency))))
    overhead = report.bill.staffing_monthly + report.bill.contingency
    rows += [
        Row(("People and overhead", "", "", usd(overhead)), "sum"),
        Row(("Total", "", "", usd(report.total)), "sum"),
        Row(("for a million tokens", "", "", usd_per_million(report.usd_per_million_tokens))),
    ]
    return Table(
        name="bill",
        title="What does self-hosting cost a month?",
        answer=usd(report.total),
        columns=(
            Column("Resource"),
            Column("Quantity", numeric=True),
            Column("Unit price", numeric=True),
            Column("A month", numeric=True),
        ),
        rows=tuple(rows),
        notes=tuple(bill_notes(report)),
    )


def _bill_line(line: LineItem) -> Row:
    return Row((line.item, f"{line.quantity:,.2f} {line.unit}", *line.written_prices()))


def bill_notes(report: Report) -> Iterator[str]:
    """Says what stands behind the bill: the simulated week, what costs nothing, what is missing."""
    totals = report.simulated.totals
    replicas = counted(totals.peak_replicas, "replica")
    yield (
        f"{report.week.mean_nodes:.2f} nodes on average, {replicas} at the most; "
        f"{totals.objective_share:.2%} of requests have their first token within "
        f"{report.simulated.objective_seconds:g} s (simulated)."
    )
    if totals.overflow_share:
        cold, own = "", report.usd_per_million_own_tokens
        if totals.cold_share >= _SHOWN_SHARE:
            cold = f", {totals.cold_share:.1%} while no replica is ready"
        price = "" if own is None else f"; a million own tokens cost {usd_per_million(own)}"
        yield (
            f"The gateway sends {totals.overflow_share:.1%} of requests to "
            f"{report.api.price.reference}{cold} (simulated){price}."
        )
    free = counted(len(report.infrastructure.without_charge), "resource")
    yield f"No charge of their own: {free}."
    if report.borne_by_others():
        yield f"Borne by others: {', '.join(report.borne_by_others())}."
    budget = report.assumptions.budget_per_month
    if budget is not None:
        state = "within" if report.total <= budget else f"{usd(report.total - budget)} over"
        yield f"Budget: {usd(budget)} a month; the total is {state}."
    if not report.infrastructure.not_priced:
        yield "Not priced: nothing."
    for item in report.infrastructure.not_priced:
        kind = item.type.rsplit(":", 1)[-1]
        yield f"Not priced, and not in the total: {item.name} ({kind}): {item.reason}."


def by_api(report: Report) -> Table:
    """Returns the same traffic by each API."""
    kinds = ("in use now", *("same model" for _ in report.hosted))
    rows = tuple(
        Row(
            (
                cost.price.reference,
                kind,
                usd_for_one(cost.price.usd_per_million_tokens),
                usd(cost.monthly),
                f"{report.total / cost.monthly:,.1f} x",
            )
        )
        for kind, cost in zip(kinds, (report.api, *report.hosted), strict=True)
    )
    answer = f"{usd(report.api.monthly)} by the one in use"
    notes = [f"Prices: {report.api.price.source}, {report.api.price.as_of.isoformat()}."]
    if report.hosted:
        answer += f", {usd(report.hosted[0].monthly)} by the same model hosted by others"
    else:
        notes.append("Same model hosted by others: no offer known; name one in hostedApis.")
    return Table(
        name="apis",
        title="What does the same traffic cost by API?",
        answer=answer,
        columns=(
            Column("API"),
            Column("Kind", short=True),
            Column("A million tokens", numeric=True),
            Column("A month", numeric=True),
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
        "With nodes added as the load grows; in brackets nodes at the peak. Never: not within "
        f"{largest.largest_nodes} nodes, {volume(largest.largest_tokens_per_day)} tokens a day. "
        f"This stack plans for {planned}."
    )
    return Table(
        name="break-even",
        title="From how many tokens a day does self-hosting cost less?",
        answer="; ".join(f"{row.cells[2].split(' (')[0]} ({row.cells[0]})" for row in rows),
        columns=(
            Column("Than"),
            Column("Infrastructure only", numeric=True),
            Column("Everything", numeric=True),
            Column(f"Replica {error} faster", numeric=True),
            Column(f"{error} slower", numeric=True),
        ),
        rows=rows,
        notes=(below,),
    )


def sources(report: Report) -> Table:
    """Returns where each price and each figure that is not a price comes from."""
    lines = [
        Row(
            (
                line.item,
                _dated(line, report.assumptions.book.today),
                line.confidence,
                PRIVATE if line.private else line.source,
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
        title="Where does each number come from?",
        answer=f"{len(lines)} prices of this stack, {counted(len(apis), 'API price')}",
        columns=(
            Column("Price of"),
            Column("As of", short=True),
            Column("Confidence", short=True),
            Column("Source"),
        ),
        rows=(*lines, *apis),
        notes=(
            *report.notes,
            f"Old: more than {OLD_DAYS} days before {report.assumptions.book.today.isoformat()}.",
        ),
    )


def _dated(line: LineItem, today: date) -> str:
    if line.as_of is None:
        return "stated"
    old = " (old)" if (today - line.as_of).days > OLD_DAYS else ""
    return line.as_of.isoformat() + old


def heading(report: Report) -> tuple[str, ...]:
    """Returns in sentences what is served and for which traffic."""
    assumptions = report.assumptions
    calendar = f"{assumptions.calendar.name} a month; USD"
    if not assumptions.others:
        served = f"{assumptions.model} on {assumptions.node.description}"
        return served, f"{_traffic(assumptions)}; {calendar}"
    models = (f"{model.model}: {_traffic(model)}" for model in assumptions.models)
    return *models, f"on {assumptions.node.description}; {calendar}"


def _traffic(model: Assumptions) -> str:
    load = model.load
    cached = f", {load.cached_input_share:.0%} cached" if load.cached_input_share else ""
    return (
        f"{volume(load.tokens_per_day)} tokens a day ({load.input_tokens:,} in{cached}, "
        f"{load.output_tokens:,} out a request)"
    )


def by_model(report: Report) -> Table:
    """Returns what each model costs, of a stack with several."""
    rows = [
        Row(
            (
                model.assumptions.served,
                f"{model.mean_nodes:.2f}",
                usd(model.own),
                usd(model.total),
                f"{usd(model.api_monthly)}",
                "none known" if model.hosted_monthly is None else usd(model.hosted_monthly),
            )
        )
        for model in report.models
    ]
    dearer = [model.assumptions.served for model in report.models if model.own > model.cheapest_api]
    notes = [
        "Own part: nodes, volumes and what else is there for one model, with contingency.",
        "With shared: what all models share is added in proportion to the own part.",
    ]
    if report.assumptions.fleet.fixed_nodes is not None:
        notes.append(
            "The nodes are there anyway: they are shared out by the GPUs that replicas may take."
        )
    elif dearer:
        notes.append(f"Would cost less by API than its own part: {', '.join(dearer)}.")
    return Table(
        name="models",
        title="Which model costs what?",
        answer="; ".join(f"{row.cells[0]} {row.cells[3]}" for row in rows),
        columns=(
            Column("Model"),
            Column("Nodes", numeric=True),
            Column("Own part", numeric=True),
            Column("With shared", numeric=True),
            Column("By API in use", numeric=True),
            Column("Same model hosted", numeric=True),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _first_crossing(result: BreakEven) -> str:
    """Writes from how many tokens a day it costs less, and nodes at the peak; or "never"."""
    if result.never:
        return "never"
    first = result.cheaper[0]
    return f"{volume(first.from_tokens_per_day)} ({first.nodes})"
