"""A candidate on trial: what it adds to the bill, and what the stack costs once it is promoted."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.bill.candidate import CandidateCost, Outcome
from breakeven.cost.report import Report
from breakeven.reports.formatting import counted, usd, usd_per_million
from breakeven.reports.layout import Column, Row, Table
from breakeven.reports.sentences.line_items import (
    item_name,
    item_prices,
    not_priced_name,
    not_priced_reason,
)

_SHOWN_SHARE = 0.0005  # less would read as 0.0%


def total_name(report: Report) -> str:
    """Returns what the sum with all candidates is called."""
    return f"Total with the candidate{'s' if len(report.candidates) > 1 else ''}"


def candidate_prefix(report: Report, found: CandidateCost) -> str:
    """Returns what a line of the bill begins with that is there for a candidate."""
    of_model = f" of {found.model}" if len(report.models) > 1 else ""
    return f"Candidate{of_model}: "


def candidate_rows(report: Report) -> Iterator[Row]:
    """Yields rows of the bill: what trials add, and the sum; nothing without a candidate."""
    for found in report.candidates:
        prefix = candidate_prefix(report, found)
        for line in found.lines:
            quantity = f"{line.quantity:,.2f} {line.unit}"
            yield Row((f"{prefix}{item_name(line)}", quantity, *item_prices(line)))
        if found.contingency:
            share = f"{prefix}contingency, {found.contingency_share:.0%}"
            yield Row((share, "", "", usd(found.contingency)))
    if report.candidates:
        yield Row((total_name(report), "", "", usd(report.total_with_candidate)), "sum")


def compared_candidates(report: Report) -> tuple[Table, ...]:
    """Returns each model as it is next to the candidate in its place; nothing without one."""
    return tuple(_compared(report, found) for found in report.candidates)


def _compared(report: Report, found: CandidateCost) -> Table:
    now, promoted = _cells(found.now), _cells(found.promoted)
    several = len(report.models) > 1
    what = "First token" if found.unit == "request" else "Answer"
    names = (
        "Monthly cost of the stack" if several else "Monthly cost",
        "Cost per 1M tokens",
        "Output tokens per second, full replica",
        f"{what} within {found.objective_seconds:g} s",
    )
    of_model = f" of {found.model}" if several else ""
    return Table(
        name=f"candidate-{found.model}" if several else "candidate",
        title=f"Candidate{of_model}, with {found.traffic_percent}% of the requests",
        answer=f"{usd(found.promoted.monthly)} once it is promoted",
        columns=(
            Column("Planned"),
            Column("Model as it is", numeric=True),
            Column("Candidate promoted", numeric=True),
        ),
        rows=tuple(Row(cells) for cells in zip(names, now, promoted, strict=True)),
        notes=tuple(_notes(report, found)),
    )


def _cells(outcome: Outcome) -> tuple[str, ...]:
    return (
        usd(outcome.monthly),
        usd_per_million(outcome.usd_per_million_tokens),
        f"{outcome.replica_tokens_per_second:,.0f}",
        f"{outcome.objective_share:.2%}",
    )


def _notes(report: Report, found: CandidateCost) -> Iterator[str]:
    yield f"The candidate changes {', '.join(found.changes)}."
    replicas = counted(found.replicas, "replica")
    if found.nodes:
        nodes = "1 node" if found.nodes == 1 else f"{found.nodes:g} nodes"
        where = f"{replicas} on {nodes}"
    else:
        where = f"{replicas} on nodes that are paid anyway"
    yield (
        f"Until it is promoted or withdrawn (candidate.stage), the trial adds "
        f"{usd(found.monthly)}/month to the bill: {where}. Break-even, the recommendation, and "
        "what would lower the bill are those of the model as it is."
    )
    if found.unserved_share >= _SHOWN_SHARE:
        yield (
            f"Its replicas can serve {1 - found.unserved_share:.1%} of its share; the model's "
            "replicas answer the rest."
        )
    for item in found.not_priced:
        yield (
            f"Not priced, and not in the total with the candidate: {not_priced_name(item)}: "
            f"{not_priced_reason(item)}."
        )
    if report.assumptions.cluster.gateway is not None:
        yield 'The dashboard "on call" shows measured latency, errors, and cost of both.'
