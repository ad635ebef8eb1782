"""The bill of any program as plain text."""

from __future__ import annotations

from components.cost.lines import Machines
from components.cost.price import PRIVATE
from components.cost.reports.figures import usd_for_one
from components.cost.text import drawn, text_table, wrapped
from components.cost.verdict import usd


def program_table(stack: str, machines: Machines) -> str:
    """Returns the table of what a program's resources cost.

    Args:
        stack: Its name.
        machines: What is priced, free and not priced.
    """
    table = text_table(f"What does stack {stack} cost a month?")
    table.add_column("Resource", ratio=1, overflow="fold")
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", no_wrap=True)
    table.add_column("Unit price", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("Price of", no_wrap=True)
    for line in machines.lines:
        table.add_row(
            line.item,
            f"{line.quantity:,.2f}",
            line.unit,
            PRIVATE if line.private else usd_for_one(line.unit_price),
            PRIVATE if line.private else usd(line.monthly),
            line.as_of.isoformat() if line.as_of else "stated",
        )
    table.add_section()
    table.add_row("Total", "", "", "", usd(machines.monthly), "")
    return drawn(table) + wrapped(_notes(machines))


def _notes(machines: Machines) -> list[str]:
    count = len(machines.without_charge)
    free = f"No charge of their own: {count} resource{'' if count == 1 else 's'}."
    if not machines.not_priced:
        return [free, "Not priced: nothing."]
    return [
        free,
        *(
            f"Not priced, and not in the total: {item.name} ({item.type}): {item.reason}."
            for item in machines.not_priced
        ),
    ]
