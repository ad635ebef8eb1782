"""The bill of any program as plain text."""

from __future__ import annotations

from breakeven.cost.bill.line_item import Infrastructure
from breakeven.reports.formatting import counted, usd
from breakeven.reports.line_item_table import add_line, line_table
from breakeven.reports.sentences.left_out import left_out
from breakeven.reports.text import drawn, wrapped


def program_table(stack: str, infrastructure: Infrastructure) -> str:
    """Returns the table of what a program's resources cost.

    Args:
        stack: Its name.
        infrastructure: What is priced, free and not priced.
    """
    table = line_table(f"Monthly cost of stack {stack}")
    for line in infrastructure.lines:
        add_line(table, line)
    table.add_section()
    total = "Total of priced resources" if infrastructure.not_priced else "Total"
    table.add_row(total, "", "", "", usd(infrastructure.monthly), "")
    return drawn(table) + wrapped(_notes(infrastructure))


def _notes(infrastructure: Infrastructure) -> list[str]:
    """Says what is free, and what is not priced."""
    free = len(infrastructure.without_charge)
    notes = [f"{counted(free, 'resource')} {'is' if free == 1 else 'are'} free."] if free else []
    if not infrastructure.not_priced:
        return [*notes, "All resources are priced."]
    return [*notes, *left_out(infrastructure.not_priced)]
