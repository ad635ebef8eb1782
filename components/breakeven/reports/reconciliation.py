"""Writes a reconciliation as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.table import Table

from breakeven.bills.charged import Charged
from breakeven.catalog.price import PRIVATE
from breakeven.cost.reconciliation.explanation import Cause, Explanation
from breakeven.cost.reconciliation.result import Reconciliation, Row
from breakeven.reports.formatting import money, usd, usd_difference
from breakeven.reports.text import drawn, text_table, wrapped

VERSION = 1
"""Of the JSON; a field that changes its meaning or goes away raises it."""

CAUSES: Mapping[Cause, str] = {
    "traffic": "Traffic: tokens, lengths, burst",
    "capacity": "Capacity of a replica",
    "hours": "Node-hours beyond traffic and capacity",
    "price": "Price of a node-hour",
    "cpuNodes": "CPU nodes",
    "controlPlane": "Control plane",
    "storage": "Storage",
    "network": "Network",
    "logs": "Logs",
    "unusedCommitment": "Unused commitments",
    "tax": "Tax",
    "credits": "Credits and refunds",
    "other": "Other services",
    "people": "Staffing",
    "api": "API for overflow and escalation",
    "contingency": "Contingency (a reserve, never on a bill)",
}
"""How each assumption is called."""

_WHOLE_FROM = 1000  # digits behind the point say nothing from here on
_COVERED = {"machines": "all infrastructure", "nodes": "GPU nodes (OpenCost, allocation)"}


def as_text(
    answer: Reconciliation, setting_lines: list[str], exports: Sequence[Charged] = ()
) -> str:
    """Returns the table, the sentences about it, and the settings to state.

    Args:
        answer: The reconciliation.
        setting_lines: Lines of a stack file that state `answer.changes`.
        exports: Exports of bills that were read.
    """
    table = text_table("Planned and observed figures, and their effect on the monthly cost")
    table.add_column("Figure", ratio=1)
    for title in ("Planned", "Observed", "Difference", "Effect on total"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in answer.rows:
        planned, difference = _number(row.planned), _difference(row)
        if row.private:
            planned = difference = PRIVATE
        effect = "" if row.effect is None else usd_difference(row.effect)
        table.add_row(row.figure, planned, _number(row.observed), difference, effect)
    heading = wrapped([f"RECONCILIATION OF STACK {answer.stack}"])
    text = heading + drawn(table) + wrapped(["", *_sentences(answer)])
    if answer.explanation is not None:
        text += "\n" + drawn(_bridge(answer.explanation))
        text += wrapped(["", *_about_bill(answer.explanation, exports)])
    if setting_lines:
        file = f"stacks/Pulumi.{answer.stack}.yaml"
        text += f"\nTo plan with the observed figures, set in {file}:\n" + "\n".join(setting_lines)
    return text.rstrip("\n")


def as_output(answer: Reconciliation, exports: Sequence[Charged] = ()) -> dict[str, object]:
    """Returns the reconciliation for machines; money as strings, to the cent.

    Args:
        answer: The reconciliation.
        exports: Exports of bills that were read.
    """
    cost, most_off = answer.cost, answer.most_off
    explanation = answer.explanation
    return {
        "version": VERSION,
        "stack": answer.stack,
        "figures": [
            {
                "figure": row.figure,
                "planned": None if row.private else _exact(row.planned),
                "observed": _exact(row.observed),
                "difference": None if row.private else _exact(row.difference),
                "effectOnTotal": None if row.effect is None else money(row.effect),
            }
            for row in answer.rows
        ],
        "mostOff": None if most_off is None else most_off.figure,
        "total": {
            "planned": money(answer.planned),
            "withObservedSettings": money(answer.by_settings),
            "withObservedNodeHours": money(answer.by_all),
        },
        "cost": None
        if cost is None
        else {
            "covers": cost.covers,
            "planned": money(cost.planned),
            "explained": money(cost.explained),
            "observed": money(cost.observed),
            "remainder": money(cost.remainder),
        },
        "explanation": None
        if explanation is None
        else {
            "planned": money(explanation.planned),
            "steps": [
                {
                    "assumption": step.cause,
                    "monthly": money(step.monthly),
                    "observed": step.observed,
                }
                for step in explanation.steps
            ],
            "charged": money(explanation.charged),
        },
        "exports": [
            {
                "file": export.name,
                "format": export.format,
                "start": export.start.isoformat(),
                "end": export.end.isoformat(),
                "rows": export.rows,
                "selectedRows": export.selected,
                "charged": money(export.cost),
            }
            for export in exports
        ],
        "settings": dict(answer.changes),
    }


def _bridge(explanation: Explanation) -> Table:
    table = text_table("From the planned to the charged monthly cost")
    table.add_column("Assumption", ratio=1)
    table.add_column("Monthly", justify="right", no_wrap=True)
    table.add_row("Planned, fully loaded", usd(explanation.planned))
    for step in explanation.steps:
        effect = usd_difference(step.monthly) if step.observed else "not observed"
        table.add_row(CAUSES[step.cause], effect)
    table.add_row("Charged", usd(explanation.charged))
    return table


def _about_bill(explanation: Explanation, exports: Sequence[Charged]) -> list[str]:
    said = []
    for export in exports:
        rows = f"{export.selected:,} of {export.rows:,} rows"
        if not export.tagged:
            rows = f"all {export.rows:,} rows (use --tag to count one stack)"
        said.append(
            f"{export.format}, {export.start:%Y-%m-%d} to {export.end:%Y-%m-%d}: {rows}, "
            f"{usd(export.cost)} charged; amounts above are for one month."
        )
    planned = [CAUSES[step.cause].lower() for step in explanation.steps if not step.observed]
    if planned:
        said.append(
            f"Not observed, so counted as planned: {'; '.join(planned)}. Changes of traffic and "
            "capacity are then part of the node-hours."
        )
    return said


def _sentences(answer: Reconciliation) -> list[str]:
    most_off = answer.most_off
    if most_off is None:
        said = ["No observed assumption changes the monthly total."]
    else:
        effect = usd_difference(most_off.effect or Decimal(0))
        amount = f"alone it changes the monthly total by {effect}"
        said = [f"Largest deviation: {most_off.figure}{_relative(most_off)}; {amount}."]
    said.append(
        f"The planned total is {usd(answer.planned)}/month; with all observed assumptions it is "
        f"{usd(answer.by_settings)}/month."
    )
    beyond = answer.by_all - answer.by_settings
    if beyond:
        more = "More" if beyond > 0 else "Fewer"
        said.append(
            f"{more} nodes ran than these assumptions explain: {usd_difference(beyond)}/month. "
            "Check autoscaling, the weekly traffic shape (traffic.shape), and other workloads on "
            "the nodes."
        )
    cost = answer.cost
    if cost is None:
        if answer.explanation is None:
            said.append("No cost was observed, so the remainder is unknown.")
        return said
    if answer.explanation is not None:
        return said  # its table leaves no remainder
    said.append(
        f"Charged for {_COVERED[cost.covers]}: {usd(cost.observed)}; the figures above explain "
        f"{usd(cost.explained)}. Remainder: {usd_difference(cost.remainder)}."
    )
    return said


def _relative(row: Row) -> str:
    if row.private or not row.planned:
        return ""
    share = abs(row.difference / row.planned)
    return f", {share:.1%} {'above' if row.difference > 0 else 'below'} the plan"


def _difference(row: Row) -> str:
    if not row.differs:
        return "0"
    return f"{'+' if row.difference > 0 else '-'}{_number(abs(row.difference))}"


def _number(value: Decimal) -> str:
    if value == value.to_integral_value() or abs(value) >= _WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:,.2f}"  # noqa: PLR2004 -- a share, a factor or a price below, else a count


def _exact(value: Decimal) -> str:
    return f"{round(value, 6):f}"
