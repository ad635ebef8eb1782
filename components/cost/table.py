"""The report as plain text: one table per question, readable at 100 columns and in a CI log."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.cost.break_even import BreakEven
from components.cost.estimate import volume
from components.cost.lines import Line
from components.cost.report import ApiCost, Report, rate
from components.cost.verdict import usd

WIDTH = 96
"""Pulumi indents a message by four columns, which leaves 96 of 100."""


def render(report: Report) -> str:
    """Returns the whole report as text of at most `WIDTH` columns."""
    assumptions = report.assumptions
    load = assumptions.load
    parts = [
        f"COST OF STACK {assumptions.stack}: {assumptions.model}",
        f"{volume(load.tokens_per_day)} tokens a day ({load.input_tokens:,} in, "
        f"{load.output_tokens:,} out a request"
        + (
            f", {load.cached_input_share:.0%} of the input cached"
            if load.cached_input_share
            else ""
        )
        + f"); a month has {assumptions.calendar.name}; money in USD",
        _self_hosted(report),
        _by_api(report),
        _break_even(report),
        _recommendation(report),
        _notes(report),
    ]
    return "\n".join(line.rstrip() for part in parts for line in part.splitlines())


def _self_hosted(report: Report) -> str:
    table = _table("What does self-hosting cost a month?")
    table.add_column("Resource", ratio=1)
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", no_wrap=True)
    table.add_column("Unit price", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("Price", no_wrap=True)
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
    table.add_row("for a million tokens", "", "", "", f"${report.usd_per_million_tokens:,.4f}", "")
    week = report.week
    below = [
        f"{week.mean_nodes:.2f} nodes on average, {week.peak_replicas} replicas at the peak; "
        f"{len(report.machines.without_charge)} resources have no charge of their own."
    ]
    if report.machines.not_priced:
        below.append("Not priced, and not in the total:")
        below += [
            f"  {item.name} ({item.type.rsplit(':', 1)[-1]}): {item.reason}"
            for item in report.machines.not_priced
        ]
    else:
        below.append("Not priced: nothing.")
    return _text(table) + _wrapped(below)


def _by_api(report: Report) -> str:
    table = _table("What does the same traffic cost by API?")
    table.add_column("Option", no_wrap=True)
    table.add_column("API", ratio=1)
    table.add_column("A million tokens", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("Self-hosting costs", justify="right", no_wrap=True)
    _add_api(table, "In use now", report.api, report.total)
    for cost in report.hosted:
        _add_api(table, "Same model, hosted", cost, report.total)
    below = [f"Prices: {report.api.price.source}, {report.api.price.as_of.isoformat()}."]
    if not report.hosted:
        below.append("Same model, hosted: no offer known; name one in hostedApis.")
    return _text(table) + _wrapped(below)


def _break_even(report: Report) -> str:
    table = _table("From how many tokens a day does self-hosting cost less?")
    table.add_column("Against", ratio=1)
    table.add_column("Machines only", justify="right")
    table.add_column("Everything", justify="right")
    error = report.assumptions.capacity.error_percent
    table.add_column(f"A replica serves {error:.0f}% more", justify="right")
    table.add_column(f"{error:.0f}% less", justify="right")
    for row in report.break_even:
        results = (row.machines_only, row.loaded, row.loaded_high, row.loaded_low)
        table.add_row(row.api.price.reference, *(_crossing(result) for result in results))
    result = report.break_even[0].loaded
    below = [
        f"Nodes come whole and are added as the load grows, up to {result.largest_nodes}; this stack "
        f"plans for {volume(report.assumptions.load.tokens_per_day)} tokens a day."
    ]
    return _text(table) + _wrapped(below)


def _recommendation(report: Report) -> str:
    table = _table("What to do?")
    table.add_column("Option", ratio=1)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("A million tokens", justify="right", no_wrap=True)
    tokens = report.tokens_per_month / 10**6
    rows: list[tuple[str, str, Decimal]] = [
        ("api", f"Stay on {report.api.price.reference}", report.api.monthly)
    ]
    if report.hosted:
        cheapest = report.hosted[0]
        rows.append(("hosted", f"Same model at {cheapest.price.reference}", cheapest.monthly))
    rows.append(("self-host", "Self-host this stack", report.total))
    if report.hybrid is not None:
        hybrid = report.hybrid
        label = f"Hybrid: {hybrid.nodes} own nodes serve {hybrid.own_share:.0%}, an API the rest"
        rows.append(("hybrid", label, hybrid.monthly))
    for choice, label, monthly in rows:
        mark = "-> " if choice == report.verdict.choice else "   "
        table.add_row(mark + label, usd(monthly), f"${monthly / tokens:,.4f}")
    lines = [report.verdict.summary, *(f"- {reason}" for reason in report.verdict.reasons)]
    return _text(table) + _wrapped(lines)


def _notes(report: Report) -> str:
    sources = {
        f"{line.source}, {line.as_of.isoformat()}" for line in report.machines.lines if line.as_of
    }
    notes = list(report.notes)
    if sources:
        notes.append(f"Price sources: {'; '.join(sorted(sources))}.")
    return "\nNotes\n" + _wrapped(f"- {note}" for note in notes)


def _add_line(table: Table, line: Line) -> None:
    quantity = f"{line.quantity:,.2f}"
    price = line.as_of.isoformat() if line.as_of else "stated"
    table.add_row(
        line.item, quantity, line.unit, f"${_unit_price(line.unit_price)}", usd(line.monthly), price
    )


def _unit_price(price: Decimal) -> str:
    return f"{price:,.2f}" if price >= 100 else rate(price)


def _add_api(table: Table, option: str, cost: ApiCost, total: Decimal) -> None:
    times = f"{total / cost.monthly:,.1f} x" if cost.monthly else "-"
    table.add_row(
        option,
        cost.price.reference,
        f"${rate(cost.price.usd_per_million_tokens)}",
        usd(cost.monthly),
        times,
    )


def _crossing(result: BreakEven) -> str:
    if result.never:
        return f"never within {result.largest_nodes} nodes"
    first = result.cheaper[0]
    nodes = "1 node" if first.nodes == 1 else f"{first.nodes} nodes"
    return f"{volume(first.from_tokens_per_day)} ({nodes})"


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=WIDTH,
        pad_edge=False,
        show_edge=False,
        header_style="",
    )


def _text(table: Table) -> str:
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=WIDTH, no_color=True, color_system=None, legacy_windows=False
    )
    console.print()
    console.print(table)
    return buffer.getvalue()


def _wrapped(lines: Iterable[str] | Sequence[str]) -> str:
    buffer = io.StringIO()
    console = Console(file=buffer, width=WIDTH, no_color=True, color_system=None)
    for line in lines:
        indent = len(line) - len(line.lstrip(" -"))
        for number, piece in enumerate(Text(line).wrap(console, WIDTH - indent)):
            buffer.write((" " * indent if number else "") + piece.plain.rstrip() + "\n")
    return buffer.getvalue()
