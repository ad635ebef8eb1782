"""The report as plain text: one table per question, readable at 100 columns and in a CI log."""

from __future__ import annotations

from rich.table import Table

from components.cost.estimate import volume
from components.cost.lines import Line
from components.cost.price import PRIVATE
from components.cost.report import Report
from components.cost.reports.figures import counted, first_crossing, usd_for_one, usd_per_million
from components.cost.reports.tables import options
from components.cost.text import drawn, text_table, wrapped
from components.cost.verdict import usd


def render(report: Report) -> str:
    """Returns the whole report as text of at most `WIDTH` columns."""
    parts = [
        _heading(report),
        _self_hosted(report),
        _by_api(report),
        _break_even(report),
        _recommendation(report),
        _notes(report),
    ]
    return "\n".join(line.rstrip() for part in parts for line in part.splitlines())


def _heading(report: Report) -> str:
    assumptions = report.assumptions
    load = assumptions.load
    cached = f", {load.cached_input_share:.0%} cached" if load.cached_input_share else ""
    traffic = (
        f"{volume(load.tokens_per_day)} tokens a day ({load.input_tokens:,} in{cached}, "
        f"{load.output_tokens:,} out a request); {assumptions.calendar.name} a month; USD"
    )
    served = f"{assumptions.model} on {assumptions.node.description}"
    return wrapped([f"COST OF STACK {assumptions.stack}", served, traffic])


def _self_hosted(report: Report) -> str:
    table = text_table("What does self-hosting cost a month?")
    table.add_column("Resource", ratio=1)
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", no_wrap=True)
    table.add_column("Unit price", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("Price of", no_wrap=True)
    for line in report.machines.lines:
        _add_line(table, line)
    table.add_row("Machines", "", "", "", usd(report.machines.monthly), "", end_section=True)
    for line in report.people:
        _add_line(table, line)
    reserve = report.assumptions.people.contingency_share
    if reserve:
        table.add_row(f"Contingency, {reserve:.0%}", "", "", "", usd(report.contingency), "stated")
    table.add_row(
        "People and overhead",
        "",
        "",
        "",
        usd(report.total - report.machines.monthly),
        "",
        end_section=True,
    )
    table.add_row("Total", "", "", "", usd(report.total), "")
    rate = usd_per_million(report.usd_per_million_tokens)
    table.add_row("for a million tokens", "", "", "", rate, "")
    week = report.week
    replicas = counted(week.peak_replicas, "replica")
    free = counted(len(report.machines.without_charge), "resource")
    below = [
        f"{week.mean_nodes:.2f} nodes on average, {replicas} at the peak.",
        f"No charge of their own: {free}.",
    ]
    budget = report.assumptions.budget_per_month
    if budget is not None:
        state = "within" if report.total <= budget else f"{usd(report.total - budget)} over"
        below.append(f"Budget: {usd(budget)} a month; the total is {state}.")
    if report.borne_by_others():
        below.append(f"Borne by others: {', '.join(report.borne_by_others())}.")
    if report.machines.not_priced:
        below.append("Not priced, and not in the total:")
        below += [
            f"  {item.name} ({item.type.rsplit(':', 1)[-1]}): {item.reason}"
            for item in report.machines.not_priced
        ]
    else:
        below.append("Not priced: nothing.")
    return drawn(table) + wrapped(below)


def _by_api(report: Report) -> str:
    table = text_table("What does the same traffic cost by API?")
    table.add_column("", no_wrap=True)
    table.add_column("API", ratio=1, overflow="fold")
    table.add_column("A million tokens", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("This stack", justify="right", no_wrap=True)
    kinds = ["in use now", *("same model" for _ in report.hosted)]
    for kind, cost in zip(kinds, (report.api, *report.hosted), strict=True):
        table.add_row(
            kind,
            cost.price.reference,
            usd_for_one(cost.price.usd_per_million_tokens),
            usd(cost.monthly),
            f"{report.total / cost.monthly:,.1f} x",
        )
    below = [f"Prices: {report.api.price.source}, {report.api.price.as_of.isoformat()}."]
    if not report.hosted:
        below.append("Same model hosted by others: no offer known; name one in hostedApis.")
    return drawn(table) + wrapped(below)


def _break_even(report: Report) -> str:
    table = text_table("From how many tokens a day does self-hosting cost less?")
    table.add_column("Than", ratio=1, overflow="fold")
    table.add_column("Machines only", justify="right", no_wrap=True)
    table.add_column("Everything", justify="right", no_wrap=True)
    error = report.assumptions.capacity.error_percent
    table.add_column(f"Replica {error:.0f}% faster", justify="right", no_wrap=True)
    table.add_column(f"{error:.0f}% slower", justify="right", no_wrap=True)
    for row in report.break_even:
        results = (row.machines_only, row.loaded, row.loaded_high, row.loaded_low)
        table.add_row(row.api.price.reference, *(first_crossing(result) for result in results))
    result = report.break_even[0].loaded
    planned = volume(report.assumptions.load.tokens_per_day)
    below = (
        f"With nodes added as the load grows; in brackets nodes at the peak. Never: not within "
        f"{result.largest_nodes} nodes, {volume(result.largest_tokens_per_day)} tokens a day. This "
        f"stack plans for {planned}."
    )
    return drawn(table) + wrapped([below])


def _recommendation(report: Report) -> str:
    ways = options(report)
    table = text_table(ways.title)
    table.add_column(ways.columns[0].heading, ratio=1)
    for column in ways.columns[1:]:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for row in ways.rows:
        label, *figures = row.cells
        mark = "-> " if row.weight == "chosen" else "   "
        table.add_row(mark + label, *figures)
    lines = [ways.answer, *(f"- {reason}" for reason in ways.notes)]
    return drawn(table) + wrapped(lines)


def _notes(report: Report) -> str:
    notes = [f"- {note}" for note in report.notes]
    notes += [f"- {source}" for source in report.price_sources()]
    return "\nNotes\n" + wrapped(notes)


def _add_line(table: Table, line: Line) -> None:
    table.add_row(
        line.item,
        f"{line.quantity:,.2f}",
        line.unit,
        PRIVATE if line.private else usd_for_one(line.unit_price),
        PRIVATE if line.private else usd(line.monthly),
        line.as_of.isoformat() if line.as_of else "stated",
    )
