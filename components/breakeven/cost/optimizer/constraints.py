"""What a configuration has to meet, and what each of these conditions costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.optimizer.candidates import Candidate
from breakeven.cost.optimizer.search import Search


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition.

    Attributes:
        name: In words.
        imposed: Whether the ranking leaves out what does not meet it; else only its price is told.
        allows: Tells whether a configuration meets it.
        api_allowed_without: USD a month of the cheapest API, where the condition forbids all APIs.
        closest: Says how near the nearest configuration comes; None where no figure tells.
    """

    name: str
    imposed: bool
    allows: Callable[[Candidate], bool]
    api_allowed_without: Decimal | None = None
    closest: Callable[[Sequence[Candidate]], str] | None = None


@dataclass(frozen=True, slots=True)
class ConstraintPrice:
    """What a condition costs. Money in USD a month.

    Attributes:
        name: The condition in words.
        imposed: Whether the ranking heeds it.
        cheapest_with: Cheapest configuration that meets it and all imposed ones; None for none.
        cheapest_without: Cheapest that meets the other imposed ones, or API where it forbids APIs.
    """

    name: str
    imposed: bool
    cheapest_with: Decimal | None
    cheapest_without: Decimal | None

    @property
    def price(self) -> Decimal | None:
        """USD a month that it costs, 0 or more; None where nothing meets it."""
        if self.cheapest_with is None or self.cheapest_without is None:
            return None
        return self.cheapest_with - self.cheapest_without


def constraints_of(search: Search, cheapest_api: Decimal) -> tuple[Constraint, ...]:
    """Returns the conditions of a search; memory is none of them, as nothing runs without it.

    Args:
        search: The search.
        cheapest_api: USD a month of the cheapest API.
    """
    token, prefill = search.max_inter_token_seconds, search.max_prefill_seconds
    found = [
        Constraint(
            f"First token within {prefill * 1000:,.6g} ms, queue aside",
            imposed=True,
            allows=lambda candidate: candidate.capacity.prefill_seconds <= prefill,
            closest=lambda all_: _fastest(min(one.capacity.prefill_seconds for one in all_)),
        )
    ]
    if token is not None:
        found.append(
            Constraint(
                f"Next token within {token * 1000:,.6g} ms",
                imposed=True,
                allows=lambda candidate: candidate.capacity.inter_token_latency_seconds <= token,
                closest=lambda all_: _fastest(
                    min(one.capacity.inter_token_latency_seconds for one in all_)
                ),
            )
        )
    if not search.assumptions.data_may_leave:
        found.append(
            Constraint(
                "Prompts stay inside (dataMayLeave: false)",
                imposed=True,
                allows=lambda candidate: candidate.configuration.operation != "hybrid",
                api_allowed_without=cheapest_api,
            )
        )
    found.append(
        Constraint(
            f"Weights stay in {search.precision}",
            imposed=False,
            allows=lambda candidate: candidate.configuration.precision == search.precision,
        )
    )
    return tuple(found)


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
        name=constraint.name,
        imposed=constraint.imposed,
        cheapest_with=_cheapest(candidates, [*others, constraint]),
        cheapest_without=without,
    )


def meets(candidate: Candidate, constraints: Sequence[Constraint]) -> bool:
    """Tells whether a configuration meets all conditions."""
    return all(constraint.allows(candidate) for constraint in constraints)


def _cheapest(candidates: Sequence[Candidate], constraints: Sequence[Constraint]) -> Decimal | None:
    return min((one.monthly for one in candidates if meets(one, constraints)), default=None)


def _fastest(seconds: float) -> str:
    return f"the fastest takes {seconds * 1000:,.1f} ms"
