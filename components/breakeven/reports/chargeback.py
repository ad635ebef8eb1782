"""Statements of a chargeback: as text, CSV, JSON and a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from jinja2 import Environment, StrictUndefined
from rich.table import Table

from breakeven.cost.chargeback.statement import PARTS, Charge, Part, Rule, Statement
from breakeven.reports.formatting import money, usd
from breakeven.reports.text import drawn, text_table, wrapped

VERSION = 1
"""Of the JSON; a field that changes its meaning or goes away raises it."""

_NAMES: Mapping[Part, str] = {
    "busy": "Nodes, busy",
    "idle": "Nodes, idle",
    "other": "Other infrastructure",
    "staffing": "Staffing",
    "contingency": "Contingency",
    "api": "API",
}

_RULES: Mapping[Rule, str] = {
    "used": "by the tokens that the stack's replicas served to each team",
    "reserved": "by the tokens per day that are reserved for each team (gateway.teams)",
    "even": "evenly among the teams, and within a team by its tokens of each model",
}


def rule_sentence(statement: Statement) -> str:
    """Says how the bill was split."""
    return (
        "API cost is split by the API cost of each team's requests. Everything else, including "
        f"idle hours, staffing, and contingency, is split {_RULES[statement.rule]}. The "
        f"statements sum to {usd(statement.total)}."
    )


_BESIDE = 4
"""Statements that stand next to each other in a text, so that no amount is cut off."""


def as_text(stack: str, statement: Statement) -> str:
    """Returns tables with a column for each team and model, and the rule."""
    charges = statement.charges
    tables = (
        drawn(_text_table(stack, charges[start : start + _BESIDE]))
        for start in range(0, len(charges), _BESIDE)
    )
    return "".join(tables) + wrapped(["", rule_sentence(statement)])


def _text_table(stack: str, charges: Sequence[Charge]) -> Table:
    table = text_table(f"Chargeback of stack {stack}, USD per month")
    table.add_column("Part of the bill")
    for charge in charges:
        table.add_column(f"{charge.use.team}\n{charge.use.model}", justify="right", overflow="fold")
    for part in PARTS:
        table.add_row(_NAMES[part], *(usd(charge.parts[part]) for charge in charges))
    table.add_row("Total", *(usd(charge.total) for charge in charges))
    return table


def as_csv(stack: str, statement: Statement) -> str:
    """Returns a row for each team and model, and the rule on each, for spreadsheets."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        [
            "stack",
            "team",
            "model",
            "ownTokens",
            *(f"{part}Usd" for part in PARTS),
            "totalUsd",
            "rule",
        ]
    )
    for charge in statement.charges:
        row = _row(charge)
        writer.writerow([_inert(stack), *map(_inert, row[:2]), *row[2:], statement.rule])
    return buffer.getvalue()


def as_output(stack: str, statement: Statement) -> dict[str, object]:
    """Returns the statements for machines; money as strings, to the cent."""
    return {
        "version": VERSION,
        "stack": stack,
        "rule": statement.rule,
        "currency": "USD",
        "total": money(statement.total),
        "statements": [
            {
                "team": charge.use.team,
                "model": charge.use.model,
                "ownTokens": f"{charge.use.own_tokens:f}",
                **{part: money(charge.parts[part]) for part in PARTS},
                "total": money(charge.total),
            }
            for charge in statement.charges
        ],
    }


def as_page(stack: str, statement: Statement) -> str:
    """Returns one page of HTML that needs nothing else."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_PAGE).render(
        stack=stack,
        rule=rule_sentence(statement),
        heads=[_NAMES[part] for part in PARTS],
        rows=[
            (
                charge.use.team,
                charge.use.model,
                [usd(charge.parts[part]) for part in PARTS],
                usd(charge.total),
            )
            for charge in statement.charges
        ],
        total=usd(statement.total),
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Chargeback of {{ stack }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: right }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }
</style></head><body>
<h1>Chargeback of stack {{ stack }}</h1>
<p>{{ rule }}</p>
<table><thead><tr><th>Team</th><th>Model</th>{% for head in heads %}<th>{{ head }}</th>{% endfor %}
<th>Total, USD per month</th></tr></thead><tbody>
{% for team, model, amounts, total in rows -%}
<tr><td>{{ team }}</td><td>{{ model }}</td>
{%- for amount in amounts %}<td>{{ amount }}</td>{% endfor %}<td>{{ total }}</td></tr>
{% endfor %}</tbody><tfoot><tr><td>Total</td><td></td>
{%- for head in heads %}<td></td>{% endfor %}<td>{{ total }}</td></tr></tfoot></table>
</body></html>
"""


def _row(charge: Charge) -> list[str]:
    amounts = (money(charge.parts[part]) for part in PARTS)
    use = charge.use
    return [use.team, use.model, f"{use.own_tokens:f}", *amounts, money(charge.total)]


def _inert(value: str) -> str:
    """Keeps spreadsheets from taking a text for a formula."""
    return f"'{value}" if value and value[0] in "=+-@\t" else value
