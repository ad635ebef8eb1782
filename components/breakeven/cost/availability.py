"""The cost of an availability objective: how often no replica answers, and what would help.

A node fails at a rate and is back after some hours; with n nodes that run at all hours and fail
independently of each other, no replica answers for the n-th power of the share in which one is
gone. Outages of a whole zone, of software and of the network are not counted: nobody can state
their rate for a stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.money import to_decimal

HOURS_PER_YEAR = 8760
TWO_ZONES = 2

AvailabilityKind: TypeAlias = Literal[
    "as-configured", "spare-replica", "second-zone", "fallback-api", "on-call"
]


@dataclass(frozen=True, slots=True)
class AvailabilityOption:
    """One way to meet an availability objective.

    Attributes:
        kind: Which.
        expected: Share of the time in which a replica answers, 0 to 1; None if that is not for
            own replicas to say.
        monthly: USD per month that it adds to the bill; None for unknown.
    """

    kind: AvailabilityKind
    expected: float | None
    monthly: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """An objective, and what the stack and its options do about it.

    Attributes:
        target: Share of the time in which a replica is to answer, 0 to 1.
        nodes: That run at all hours.
        failures_per_year: Of one node, interruptions of spot nodes among them.
        recovery_hours: From a failure until a replica on another node, or on the repaired one,
            answers.
        options: The stack as configured first.
    """

    target: float
    nodes: int
    failures_per_year: float
    recovery_hours: float
    options: tuple[AvailabilityOption, ...]

    @property
    def expected(self) -> float | None:
        """Of the stack as configured."""
        return self.options[0].expected


def availability_of(
    assumptions: Assumptions, bill: Bill, api_monthly: Decimal | None
) -> Availability | None:
    """Returns what an objective costs; None if the stack states none.

    Of several models, that with the fewest nodes counts.

    Args:
        assumptions: Of the stack.
        bill: What it costs as configured.
        api_monthly: What the cheapest API takes for all of the traffic, in USD per month; None if
            no API may decide.
    """
    objective = assumptions.availability
    if objective is None:
        return None
    model = min(assumptions.models, key=lambda one: one.fleet.lowest_planned_nodes)
    fleet = model.fleet
    nodes = fleet.lowest_planned_nodes
    failures = objective.gpu_failures_per_year * fleet.gpus_per_node * fleet.machines_per_node
    failures += objective.interruptions_per_year
    # A cloud gives another machine; of owned ones, or of a pool of fixed size, there must be one.
    is_paid = fleet.fixed_nodes is not None and fleet.fixed_nodes > nodes
    has_spare = is_paid or (fleet.fixed_nodes is None and isinstance(model.node, RentedNode))
    hours = fleet.start_seconds / 3600 if has_spare else objective.repair_hours
    gone = min(failures * hours / HOURS_PER_YEAR, 1.0)

    def expected(running: int) -> float:
        return 1 - gone**running

    options = [
        AvailabilityOption("as-configured", expected(nodes) if nodes else None, Decimal(0)),
        AvailabilityOption(
            "spare-replica", expected(nodes + 1), Decimal(0) if is_paid else bill.node_monthly
        ),
    ]
    if assumptions.cloud != "none":
        added = max(TWO_ZONES - nodes, 0)
        options.append(
            AvailabilityOption(
                "second-zone", expected(max(nodes, TWO_ZONES)), added * bill.node_monthly
            )
        )
    if assumptions.overflows:
        options.append(AvailabilityOption("fallback-api", None, Decimal(0)))
    elif assumptions.may_share_with_api and api_monthly is not None:
        during = api_monthly * to_decimal(gone**nodes)
        options.append(AvailabilityOption("fallback-api", None, during))
    paid = Decimal(0) if assumptions.staffing.on_call_per_month else None
    options.append(AvailabilityOption("on-call", None, paid))
    return Availability(
        target=objective.target,
        nodes=nodes,
        failures_per_year=failures,
        recovery_hours=hours,
        options=tuple(options),
    )
