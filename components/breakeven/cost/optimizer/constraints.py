"""What a configuration has to meet, and what each of these conditions costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.capacity.latency import Objective
from breakeven.cost.optimizer.candidates import Candidate
from breakeven.cost.optimizer.search import Search

ConstraintKind: TypeAlias = Objective | Literal["data-stays", "precision"]
"""What a condition is about."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition.

    Attributes:
        kind: Which.
        imposed: Whether the ranking leaves out what does not meet it; else only its price is shown.
        allows: Tells whether a configuration meets it.
        api_allowed_without: USD a month of the cheapest API, where the condition forbids all APIs.
        limit_seconds: What a latency may be at most; None for other conditions.
        seconds: The latency of a candidate that the limit is about; None for other conditions.
        precision: What the weights have to stay in; empty for other conditions.
    """

    kind: ConstraintKind
    imposed: bool
    allows: Callable[[Candidate], bool]
    api_allowed_without: Decimal | None = None
    limit_seconds: float | None = None
    seconds: Callable[[Candidate], float] | None = None
    precision: str = ""


@dataclass(frozen=True, slots=True)
class ConstraintPrice:
    """What a condition costs. Money in USD per month.

    Attributes:
        constraint: The condition.
        cheapest_with: Cheapest configuration that meets it and all imposed ones; None for none.
        cheapest_without: Cheapest that meets the other imposed ones, or API where it forbids APIs.
    """

    constraint: Constraint
    cheapest_with: Decimal | None
    cheapest_without: Decimal | None

    @property
    def price(self) -> Decimal | None:
        """USD per month that it costs, 0 or more; None if nothing meets it."""
        if self.cheapest_with is None or self.cheapest_without is None:
            return None
        return self.cheapest_with - self.cheapest_without


def constraints_of(search: Search, cheapest_api: Decimal | None) -> tuple[Constraint, ...]:
    """Returns the conditions of a search; memory is none of them, as nothing runs without it.

    Args:
        search: The search.
        cheapest_api: USD per month of the cheapest API that may decide; None if none may.
    """
    found = [_latency(kind, limit) for kind, limit in search.objectives.stated()]
    if not search.assumptions.data_may_leave:
        found.append(
            Constraint(
                "data-stays",
                imposed=True,
                allows=lambda candidate: candidate.configuration.operation != "hybrid",
                api_allowed_without=cheapest_api,
            )
        )
    found.append(
        Constraint(
            "precision",
            imposed=False,
            precision=search.precision,
            allows=lambda candidate: candidate.configuration.precision == search.precision,
        )
    )
    return tuple(found)


def _latency(kind: Objective, limit: float) -> Constraint:
    return Constraint(
        kind,
        imposed=True,
        allows=lambda candidate: candidate.capacity.latencies.of(kind) <= limit,
        limit_seconds=limit,
        seconds=lambda candidate: candidate.capacity.latencies.of(kind),
    )


def price_of(
    constraint: Constraint, imposed: Sequence[Constraint], candidates: Sequence[Candidate]
) -> ConstraintPrice:
    """Compares the cheapest configuration with and without one condition.

    Args:
        constraint: The condition.
        imposed: All conditions that the ranking heeds.
        candidates: All configurations.
    """
    others = [one for one in imposed if one is not constraint]
    without = _cheapest(candidates, others)
    if constraint.api_allowed_without is not None:
        without = min(filter(None, (without, constraint.api_allowed_without)))
    return ConstraintPrice(
        constraint=constraint,
        cheapest_with=_cheapest(candidates, [*others, constraint]),
        cheapest_without=without,
    )


def meets(candidate: Candidate, constraints: Sequence[Constraint]) -> bool:
    """Tells whether a configuration meets all conditions."""
    return all(constraint.allows(candidate) for constraint in constraints)


def _cheapest(candidates: Sequence[Candidate], constraints: Sequence[Constraint]) -> Decimal | None:
    # As in the ranking, what nobody has measured counts only where there is nothing else.
    found = (
        (one.capacity.is_unknown, one.monthly) for one in candidates if meets(one, constraints)
    )
    return min(found, default=(False, None))[1]
