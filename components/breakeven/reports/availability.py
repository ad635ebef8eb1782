"""What an availability objective costs, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping

from breakeven.cost.availability import (
    Availability,
    AvailabilityKind,
    AvailabilityOption,
)
from breakeven.cost.report import Report
from breakeven.reports.formatting import usd, usd_difference
from breakeven.reports.layout import Column, Row, Table

_SHOWN_DIGITS = 4
_ALMOST_ALWAYS = 0.999999

_NAMES: Mapping[AvailabilityKind, str] = {
    "as-configured": "As configured",
    "spare-replica": "Spare replica on another node (replicas.min, pool.nodeCount)",
    "second-zone": "Nodes in two zones that can both read the weights",
    "fallback-api": "API as fallback during outages (gateway.mode hybrid)",
    "on-call": "On-call (staffing.onCallPerMonth)",
}


_IN_SENTENCES: Mapping[AvailabilityKind, str] = {
    "spare-replica": "a spare replica on another node",
    "second-zone": "nodes in two zones",
}


def availability(report: Report) -> Table:
    """Returns what each way to be available adds to the bill; for a report with an objective."""
    found = report.availability
    if found is None:
        msg = "the stack states no availability objective"
        raise ValueError(msg)
    answer = _answer(found)
    return Table(
        name="availability",
        title=f"Availability objective: {_percent(found.target)}",
        answer=answer,
        columns=(
            Column("Option"),
            Column("Expected", numeric=True),
            Column("Monthly, at most", numeric=True),
        ),
        rows=tuple(_row(option) for option in found.options),
        notes=(f"{answer[0].upper()}{answer[1:]}.", *_assumptions(found)),
    )


def missed_objective(report: Report) -> tuple[str, ...]:
    """Says that the stack misses its availability objective, and what would meet it; or nothing."""
    found = report.availability
    if found is None or found.expected is None or found.expected >= found.target:
        return ()
    enough = [
        (option.monthly, _IN_SENTENCES[option.kind])
        for option in found.options
        if option.monthly is not None and (option.expected or 0) >= found.target
    ]
    way = "no option of this report meets it"
    if enough:
        monthly, name = min(enough)
        way = f"{name} would meet it, for at most {usd(monthly)}/month"
    expected = _percent(found.expected)
    sentence = f"The stack misses its availability objective of {_percent(found.target)}: "
    return (f"{sentence}{expected} is expected; {way}.",)


def _row(option: AvailabilityOption) -> Row:
    expected = "-" if option.expected is None else _percent(option.expected)
    monthly = "not stated" if option.monthly is None else usd_difference(option.monthly)
    return Row((_NAMES[option.kind], expected, monthly))


def _answer(found: Availability) -> str:
    expected = found.expected
    if expected is None:
        return "no replica runs at all hours, so the API answers in the meantime"
    state = "meets" if expected >= found.target else "misses"
    return f"{_percent(expected)} is expected as configured, which {state} the objective"


def _assumptions(found: Availability) -> tuple[str, ...]:
    """States what the expectation rests on."""
    hours = found.recovery_hours
    after = f"{hours:,.1f} h" if hours >= 1 else f"{hours * 60:,.0f} min"
    assumed = (
        f"Assumed: a node fails {found.failures_per_year:.2g} times per year "
        f"(replicas.gpuFailuresPerYear and spot interruptions), a replica answers again after "
        f"{after}, nodes fail independently, and {found.nodes} "
        f"{'runs' if found.nodes == 1 else 'run'} at all hours. Available means that at least one "
        "replica answers."
    )
    left_out = (
        "Not counted: outages of a whole zone (which only the second zone survives), of "
        "software, and of the network. On-call pays for repairs that are not automatic."
    )
    return assumed, left_out


def _percent(share: float) -> str:
    """Writes a share in percent, with as many digits as availability is stated in."""
    # Rounded down: 99.99999% is not always.
    floor = math.floor(share * 10 ** (_SHOWN_DIGITS + 2)) / 10**_SHOWN_DIGITS
    if share > _ALMOST_ALWAYS:
        return f"over {_ALMOST_ALWAYS * 100:.{_SHOWN_DIGITS}f}%"
    return f"{floor:.{_SHOWN_DIGITS}f}".rstrip("0").rstrip(".") + "%"
