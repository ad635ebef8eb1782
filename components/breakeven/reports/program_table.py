"""The bill of any program as plain text."""

from __future__ import annotations

from breakeven.cost.bill.line_item import Infrastructure
from breakeven.formatting import counted, usd
from breakeven.reports.line_item_table import add_line, line_table
from breakeven.reports.text import drawn, wrapped


def program_table(stack: str, machines: Infrastructure) -> str:
    """Returns the table of what a program's resources cost.

    Args:
        stack: Its name.
        machines: What is priced, free and not priced.
    """
    table = line_table(f"What does stack {stack} cost a month?")
    for line in machines.lines:
        add_line(table, line)
    table.add_section()
    table.add_row("Total", "", "", "", usd(machines.monthly), "")
    return drawn(table) + wrapped(_notes(machines))


def _notes(machines: Infrastructure) -> list[str]:
    count = len(machines.without_charge)
    free = f"No charge of their own: {counted(count, 'resource')}."
    if not machines.not_priced:
        return [free, "Not priced: nothing."]
    return [
        free,
        *(
            f"Not priced, and not in the total: {item.name} ({item.type}): {item.reason}."
            for item in machines.not_priced
        ),
    ]
