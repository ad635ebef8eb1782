"""The cheapest configurations within their constraints, and whether an API costs less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.catalog.model_parts import MIXED, PRECISION_BYTES
from breakeven.cost.api_cost import api_monthly
from breakeven.cost.bill.bill import bill_of
from breakeven.cost.bill.line_item import NotPriced
from breakeven.cost.optimizer.candidates import Candidate, Counts, Evaluator
from breakeven.cost.optimizer.conclusion import Conclusion, conclude
from breakeven.cost.optimizer.constraints import (
    Constraint,
    ConstraintPrice,
    constraints_of,
    meets,
    price_of,
)
from breakeven.cost.optimizer.offers import offers
from breakeven.cost.optimizer.search import Operation, Search
from breakeven.cost.optimizer.simulated import simulate_candidates
from breakeven.cost.report import ApiCost

FINALISTS = 12
"""Configurations whose week is simulated, of each set that a condition leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The result of a search. Money in USD per month.

    Attributes:
        search: The search.
        ranked: Configurations that meet every constraint, cheapest first; of those that differ
            only in machine type, in requests in flight or in the number of base nodes, the cheapest
            stands for all. Never empty.
        as_it_stands: The stack as its file has it.
        api: The API in use now.
        hosted: The same open model hosted by others, cheapest first.
        constraints: What each condition costs.
        counts: How many configurations were evaluated.
        conclusion: What to do, and why.
        not_priced: Resources without a price, which no total contains.
    """

    search: Search
    ranked: tuple[Candidate, ...]
    as_it_stands: Decimal
    api: ApiCost
    hosted: tuple[ApiCost, ...]
    constraints: tuple[ConstraintPrice, ...]
    counts: Counts
    conclusion: Conclusion
    not_priced: tuple[NotPriced, ...]

    def usd_per_million_tokens(self, monthly: Decimal) -> Decimal:
        """Returns a month's cost over a month's tokens."""
        return monthly / self.search.assumptions.tokens_per_month * 10**6

    def cheapest(self, operations: Iterable[Operation]) -> Candidate | None:
        """Returns the cheapest configuration that runs in one of these ways; None for none."""
        wanted = set(operations)
        return next((one for one in self.ranked if one.configuration.operation in wanted), None)


@dataclass(frozen=True, slots=True)
class ConstraintMet:
    """How many candidates meet a condition, and the lowest latency where it limits one."""

    constraint: Constraint
    candidates: int
    fastest_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """Why no configuration meets the constraints.

    Attributes:
        search: The search.
        counts: What became of the configurations.
        priced_gpus: GPUs with a price there, whatever the search asked for.
        candidates: Configurations that fit, of which none meets all conditions.
        constraints: How many of them meet each condition.
    """

    search: Search
    counts: Counts
    priced_gpus: tuple[str, ...]
    candidates: int
    constraints: tuple[ConstraintMet, ...]


class NothingFitsError(ValueError):
    """No configuration can serve the traffic within the constraints.

    Attributes:
        obstacles: What stands against it.
    """

    def __init__(self, obstacles: Obstacles) -> None:
        self.obstacles = obstacles
        super().__init__("no configuration meets all constraints")


def recommend(search: Search) -> Recommendation:
    """Evaluates every configuration and ranks those that meet the constraints.

    Args:
        search: What is asked.

    Raises:
        NothingFitsError: No configuration meets them.
    """
    evaluator = Evaluator(search)
    candidates = evaluator.evaluate_all()
    assumptions = search.assumptions
    api = _by_api(search, assumptions.api_in_use, same_model=False)
    hosted = [_by_api(search, price, same_model=True) for price in assumptions.hosted]
    hosted.sort(key=lambda cost: cost.monthly)
    deciding = [cost for cost in (api, *hosted) if cost.decides]
    cheapest_api = min(deciding, key=lambda cost: cost.monthly, default=None)
    constraints = constraints_of(search, None if cheapest_api is None else cheapest_api.monthly)
    imposed = [constraint for constraint in constraints if constraint.imposed]
    allowed = [one for one in candidates if meets(one, imposed)]
    if not allowed:
        raise NothingFitsError(_obstacles(evaluator, imposed, candidates))
    candidates = _simulated(evaluator, candidates, imposed)
    allowed = [one for one in candidates if meets(one, imposed)]
    ranked = _distinct(sorted(allowed, key=_rank), search.lowest_replicas)
    best = ranked[0]
    slow = replace(best.capacity, requests_per_second=best.capacity.low_requests_per_second)
    slower = _simulate(evaluator, [evaluator.evaluate(best.configuration, slow)])[0].monthly
    return Recommendation(
        search=search,
        ranked=ranked,
        as_it_stands=_as_it_stands(search),
        api=api,
        hosted=tuple(hosted),
        constraints=tuple(price_of(one, imposed, candidates) for one in constraints),
        counts=evaluator.counts,
        conclusion=conclude(best, slower, cheapest_api, data_may_leave=assumptions.may_leave),
        not_priced=evaluator.not_priced,
    )


def _obstacles(
    evaluator: Evaluator, imposed: Sequence[Constraint], candidates: Sequence[Candidate]
) -> Obstacles:
    search = evaluator.search
    return Obstacles(
        search=search,
        counts=evaluator.counts,
        priced_gpus=tuple(sorted({one.gpu.name for one in offers(replace(search, gpus=()))})),
        candidates=len(candidates),
        constraints=tuple(_met(constraint, candidates) for constraint in imposed),
    )


def _met(constraint: Constraint, candidates: Sequence[Candidate]) -> ConstraintMet:
    seconds = constraint.seconds
    fastest = None if seconds is None else min(map(seconds, candidates), default=None)
    met = sum(constraint.allows(candidate) for candidate in candidates)
    return ConstraintMet(constraint, met, fastest)


def _simulated(
    evaluator: Evaluator, candidates: Sequence[Candidate], imposed: Sequence[Constraint]
) -> list[Candidate]:
    """Simulates what may turn out cheapest, with all conditions and without each of them."""
    lowest = evaluator.search.lowest_replicas
    conditions = [imposed, *([two for two in imposed if two is not one] for one in imposed), []]
    finalists: dict[int, Candidate] = {}
    for some in conditions:
        by_rank = sorted((one for one in candidates if meets(one, some)), key=_rank)
        best = _distinct(by_rank, lowest)[:FINALISTS]
        finalists |= {id(one): one for one in best}
    again = dict(zip(finalists, _simulate(evaluator, list(finalists.values())), strict=True))
    return [again.get(id(one), one) for one in candidates]


def _simulate(evaluator: Evaluator, planned: Sequence[Candidate]) -> list[Candidate]:
    """Simulates all but hybrids, whose nodes always run and whose queue the API takes."""
    whole = [one for one in planned if one.configuration.operation != "hybrid"]
    again = iter(simulate_candidates(evaluator, whole))
    return [one if one.configuration.operation == "hybrid" else next(again) for one in planned]


def _by_api(search: Search, price: ApiPrice, *, same_model: bool) -> ApiCost:
    return ApiCost(price, api_monthly(price, search.assumptions), same_model)


def _as_it_stands(search: Search) -> Decimal:
    """Returns what `estimate` says of the stack."""
    assumptions = search.assumptions
    return bill_of(search.ledgers[search.precision], assumptions.week(), assumptions).total


def _rank(candidate: Candidate) -> tuple[bool, Decimal, int, float]:
    # What nobody has measured comes last. Of equal cost, to the dollar because each line is rounded
    # to a cent, the precision that changes least wins.
    precision = [*PRECISION_BYTES, MIXED].index(candidate.configuration.precision)
    unknown = candidate.capacity.is_unknown
    return unknown, round(candidate.monthly, 0), precision, candidate.busy_share


def _distinct(by_rank: Sequence[Candidate], lowest_replicas: int) -> tuple[Candidate, ...]:
    first: dict[tuple[object, ...], Candidate] = {}
    for candidate in by_rank:
        configuration = candidate.configuration
        offer = configuration.offer
        # A fleet that never grows beyond its fewest replicas is a fixed one.
        grows = candidate.peak_replicas > lowest_replicas
        key = (
            offer.gpu.name,
            offer.gpus_per_node,
            offer.purchase,
            configuration.precision,
            configuration.tensor_parallel,
            configuration.operation if grows or candidate.own_share < 1 else "fixed",
        )
        first.setdefault(key, candidate)
    return tuple(first.values())
