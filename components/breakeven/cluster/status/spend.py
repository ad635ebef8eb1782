"""What a deployment has cost this hour, today and this month, and what the plan says for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from breakeven.cluster.status.plan import Plan
from breakeven.cluster.status.snapshot import Spend

RECORDED = "recorded by Prometheus"
FROM_NODES = "from current nodes; deleted nodes are not counted"
UNKNOWN = "the price of a node is unknown"
_HOUR = Decimal(3600)


def starts_of(now: datetime) -> tuple[datetime, datetime, datetime]:
    """Returns when the present hour, day and month of UTC began."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return hour, day, day.replace(day=1)


def spend_of(  # noqa: PLR0913  # what a spend is made of
    *,
    plan: Plan,
    lives: Sequence[tuple[datetime, Decimal]] | None,
    deployed_since: datetime,
    is_deployed: bool,
    now: datetime,
    recorded: Callable[[int], Decimal | None],
) -> Spend:
    """Returns what was spent, against plan and budget.

    Args:
        plan: What was planned.
        lives: Since when each node is there, and its price by the hour; None if one is unknown.
        deployed_since: When the stack's namespace was made; the present if it is not there.
        is_deployed: Whether it is there.
        now: The present, UTC.
        recorded: USD that Prometheus recorded over so many last minutes; None where it did not.
    """
    starts = starts_of(now)
    passed = [_hours(now - start) for start in starts]
    # The plan of hours before it was deployed does not say what it should have spent.
    planned = [_hours(now - max(start, deployed_since)) for start in starts]
    found = [recorded(int(hours * 60)) for hours in passed]
    is_recorded = all(value is not None for value in found)
    if not is_recorded and lives is not None:
        found = [
            _of_nodes(plan, lives, deployed_since, is_deployed, start, now) for start in starts
        ]
    known = is_recorded or lives is not None
    this_hour, today, this_month = found if known else [None, None, None]
    hourly = None
    if lives is not None:
        fixed = plan.fixed_hour if is_deployed else Decimal(0)
        hourly = sum((price for _, price in lives), Decimal(0)) + fixed
    return Spend(
        hourly_now=hourly,
        this_hour=this_hour,
        today=today,
        this_month=this_month,
        planned_hourly=plan.hourly,
        planned_today=plan.hourly * planned[1],
        planned_this_month=plan.hourly * planned[2],
        planned_month=plan.month,
        budget_month=plan.budget,
        source=RECORDED if is_recorded else FROM_NODES if known else UNKNOWN,
    )


def _of_nodes(  # noqa: PLR0913, PLR0917  # what a spend is made of
    plan: Plan,
    lives: Sequence[tuple[datetime, Decimal]],
    deployed_since: datetime,
    is_deployed: bool,  # noqa: FBT001
    start: datetime,
    now: datetime,
) -> Decimal:
    """Returns what nodes that are there cost since a time, and the rest since it is deployed."""
    nodes = sum((price * _hours(now - max(start, since)) for since, price in lives), Decimal(0))
    fixed = (
        plan.fixed_hour * _hours(now - max(start, deployed_since)) if is_deployed else Decimal(0)
    )
    return nodes + fixed


def _hours(span: timedelta) -> Decimal:
    return max(Decimal(repr(span.total_seconds())), Decimal(0)) / _HOUR
