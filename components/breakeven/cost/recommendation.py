"""What to do, and why: the choice and the facts behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.break_even import BreakEven
from breakeven.cost.fleet.plan import NEGLIGIBLE_UNSERVED_SHARE
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE
from breakeven.cost.hybrid import Hybrid

Choice = Literal["api", "hosted", "self-host", "hybrid"]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to serve the traffic.

    Attributes:
        choice: Which kind.
        monthly: USD a month, everything counted.
        monthly_if_slower: The same if a replica serves as little as its band allows.
        api: Reference of the API that takes all of the traffic, or of a hybrid the rest of it.
        split: How a hybrid splits the load; None for the other kinds.
    """

    choice: Choice
    monthly: Decimal
    monthly_if_slower: Decimal
    api: str = ""
    split: Hybrid | None = None


@dataclass(frozen=True, slots=True)
class BreakEvenVolume:
    """Where self-hosting starts to cost less than one API.

    Attributes:
        api: Its reference.
        result: Everything counted.
        tokens_per_day: What the stack plans for.
    """

    api: str
    result: BreakEven
    tokens_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Figures that explain a verdict.

    Attributes:
        data_may_leave: Whether prompts may go to an API.
        busy_share: Share of the paid GPU time that works, 0 to 1.
        staffing_share: Staffing over the self-hosted cost, 0 to 1.
        unserved_share: Requests that the configured fleet can't serve, 0 to 1.
        objective_share: Requests whose first token comes in time, 0 to 1; simulated.
        objective_seconds: What in time means.
        replicas_needed: Replicas that the busiest minute needs.
        break_even: Against the cheapest API.
        error_percent: Band of the capacity estimate, in percent.
        model: Whose requests and replicas these are, where a stack serves several models.
    """

    data_may_leave: bool
    busy_share: float
    staffing_share: Decimal
    unserved_share: float
    objective_share: float
    objective_seconds: float
    replicas_needed: int
    break_even: BreakEvenVolume
    error_percent: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class DataStays:
    """Prompts may not leave; `extra` is what that costs more than `api`, 0 or less for nothing."""

    extra: Decimal
    api: str


@dataclass(frozen=True, slots=True)
class DependsOnCapacity:
    """`option` would cost less than the API, but not if a replica serves `error_percent` less."""

    option: Option
    error_percent: float


@dataclass(frozen=True, slots=True)
class HoldsIfSlower:
    """`option` costs less than the API even if a replica serves `error_percent` less."""

    option: Option
    error_percent: float


@dataclass(frozen=True, slots=True)
class FleetTooSmall:
    """The configured fleet can't serve a share of the requests, of `model` if there are several."""

    unserved_share: float
    replicas_needed: int
    model: str


@dataclass(frozen=True, slots=True)
class ObjectiveMissed:
    """Too few requests get their first token in time, of `model` if there are several."""

    objective_share: float
    objective_seconds: float
    model: str


@dataclass(frozen=True, slots=True)
class OwnGpusIdle:
    """What self-hosting would pay for without use, and for staffing; shares from 0 to 1."""

    idle_share: float
    staffing_share: Decimal


Reason: TypeAlias = (
    DataStays
    | DependsOnCapacity
    | HoldsIfSlower
    | FleetTooSmall
    | ObjectiveMissed
    | BreakEvenVolume
    | OwnGpusIdle
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recommendation.

    Attributes:
        chosen: The option to take.
        compared: The option that it is compared with: an API, or self-hosting.
        reasons: Why, in falling weight.
    """

    chosen: Option
    compared: Option
    reasons: tuple[Reason, ...]

    @property
    def choice(self) -> Choice:
        """Which kind of option is chosen."""
        return self.chosen.choice

    @property
    def monthly(self) -> Decimal:
        """USD a month that it costs."""
        return self.chosen.monthly


def decide(options: Sequence[Option], evidence: Evidence) -> Verdict:
    """Recommends the cheapest option that the traffic allows.

    Compliance goes before cost: where prompts may not leave, self-hosting is recommended and its
    extra cost named. Where the capacity band decides whether an own fleet costs less than an API,
    the API is recommended: nothing has to be bought to change one's mind later.

    Args:
        options: All options; among them one with choice "api" and one with "self-host".
        evidence: What explains the verdict.
    """
    by_cost = sorted(options, key=lambda option: option.monthly)
    own = next(option for option in options if option.choice == "self-host")
    cheapest_api = min(
        (option for option in options if option.choice in ("api", "hosted")),
        key=lambda option: option.monthly,
    )
    reasons: list[Reason]
    if not evidence.data_may_leave:
        chosen = own
        reasons = [DataStays(own.monthly - cheapest_api.monthly, cheapest_api.api)]
    else:
        chosen, reasons = _by_cost(by_cost, cheapest_api, evidence)
    reasons += _explain(chosen, own, evidence)
    other = cheapest_api if chosen.choice in ("self-host", "hybrid") else own
    return Verdict(chosen, other, tuple(reasons))


def _by_cost(
    by_cost: Sequence[Option], cheapest_api: Option, evidence: Evidence
) -> tuple[Option, list[Reason]]:
    candidates = [
        option
        for option in by_cost
        if option.choice != "self-host" or evidence.unserved_share <= NEGLIGIBLE_UNSERVED_SHARE
    ]
    best = candidates[0]
    if best.choice not in ("self-host", "hybrid"):
        return best, []
    if best.monthly_if_slower > cheapest_api.monthly:
        return cheapest_api, [DependsOnCapacity(best, evidence.error_percent)]
    return best, [HoldsIfSlower(best, evidence.error_percent)]


def _explain(chosen: Option, own: Option, evidence: Evidence) -> Iterator[Reason]:
    if evidence.unserved_share > NEGLIGIBLE_UNSERVED_SHARE:
        yield FleetTooSmall(evidence.unserved_share, evidence.replicas_needed, evidence.model)
    elif evidence.objective_share < OBJECTIVE_SHARE:
        yield ObjectiveMissed(evidence.objective_share, evidence.objective_seconds, evidence.model)
    yield evidence.break_even
    if chosen is not own:
        yield OwnGpusIdle(1 - evidence.busy_share, evidence.staffing_share)
