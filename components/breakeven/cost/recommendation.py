"""What to do, and why: the choice and the facts behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.break_even import BreakEven
from breakeven.cost.capacity.latency import Objective
from breakeven.cost.demand.load import Unit
from breakeven.cost.hybrid import Hybrid

Choice = Literal["api", "hosted", "self-host", "hybrid"]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to serve all of the traffic.

    Attributes:
        choice: Which kind.
        monthly: USD per month, fully loaded.
        monthly_if_slower: The same if a replica serves as little as its band allows.
        api: Reference of the API that takes all of the traffic, or of a hybrid the rest of it.
        split: How a hybrid splits the load; None for the other kinds.
        enlarged_to: Nodes that self-hosting needs at most, where the configured fleet is too small;
            else 0.
        missed: The latency objective that own nodes miss even with a single request in flight; None
            if they meet all, or for an API.
    """

    choice: Choice
    monthly: Decimal
    monthly_if_slower: Decimal
    api: str = ""
    split: Hybrid | None = None
    enlarged_to: int = 0
    missed: Objective | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInside:
    """Requests that may not go to an API, although others may.

    Attributes:
        teams: Names of the teams with `dataMayLeave` false; empty if only a header of the request
            keeps it inside.
        everyone: Whether these are all teams.
        largest_share: Upper limit of their share of the tokens, 0 to 1, from the teams' limits;
            None if a team has no limit.
    """

    teams: tuple[str, ...]
    everyone: bool = False
    largest_share: float | None = None


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
        break_even: Against the cheapest API; None if no API may decide.
        error_percent: Band of the capacity estimate, in percent.
        unit: What a request is.
        on_cpus: Whether own nodes serve on CPUs, without GPUs.
        kept_inside: Requests that may not go to an API; None if all may, or if none may.
    """

    data_may_leave: bool
    busy_share: float
    staffing_share: Decimal
    break_even: BreakEvenVolume | None
    error_percent: float
    unit: Unit = "request"
    on_cpus: bool = False
    kept_inside: KeptInside | None = None


@dataclass(frozen=True, slots=True)
class DataStays:
    """Prompts may not leave; `extra` is what that costs more than `api`, 0 or less for nothing."""

    extra: Decimal
    api: str


@dataclass(frozen=True, slots=True)
class SomeStayInside:
    """The recommended API may not get the requests of `kept`; `keeps` is the cheapest that does."""

    kept: KeptInside
    keeps: Option


@dataclass(frozen=True, slots=True)
class AllTeamsStay:
    """No team's prompts may leave; `extra` is what that costs more than `api`."""

    extra: Decimal
    api: str


@dataclass(frozen=True, slots=True)
class DependsOnCapacity:
    """`option` would cost less than the API, but not if a replica serves `error_percent` less."""

    option: Option
    error_percent: float
    unit: Unit = "request"


@dataclass(frozen=True, slots=True)
class HoldsIfSlower:
    """`option` costs less than the API even if a replica serves `error_percent` less."""

    option: Option
    error_percent: float


@dataclass(frozen=True, slots=True)
class OwnNodesIdle:
    """What self-hosting would pay for without use, and for staffing; shares from 0 to 1.

    `on_cpus` tells that the idle nodes have no GPUs.
    """

    idle_share: float
    staffing_share: Decimal
    on_cpus: bool = False


@dataclass(frozen=True, slots=True)
class NoComparator:
    """No API may decide: each is retired, takes too short requests, or is not allowed."""


Reason: TypeAlias = (
    NoComparator
    | DataStays
    | SomeStayInside
    | AllTeamsStay
    | DependsOnCapacity
    | HoldsIfSlower
    | BreakEvenVolume
    | OwnNodesIdle
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recommendation.

    Attributes:
        chosen: The option to take.
        compared: The option that it is compared with: an API, or self-hosting; the chosen one
            itself where no API may decide.
        reasons: Why, in falling weight.
        options: All ways to serve the traffic, the chosen one among them.
    """

    chosen: Option
    compared: Option
    reasons: tuple[Reason, ...]
    options: tuple[Option, ...]

    @property
    def choice(self) -> Choice:
        """Which kind of option is chosen."""
        return self.chosen.choice

    @property
    def monthly(self) -> Decimal:
        """USD per month that it costs."""
        return self.chosen.monthly


def decide(options: Sequence[Option], evidence: Evidence) -> Verdict:
    """Recommends the cheapest option that the traffic allows.

    Compliance goes before cost: where prompts may not leave, self-hosting is recommended and its
    extra cost named. Where only those of some teams may not, and an API is recommended for the
    others, the verdict names these teams and the cheapest option that keeps their prompts inside.
    Own nodes are judged by what they cost if a replica serves as little as its
    band allows: where that decides, the API is recommended, because nothing has to be bought to
    change one's mind later. So another option is recommended only where two costs cross.

    Args:
        options: All options that may decide, one of them with choice "self-host". Each serves all
            of the traffic.
        evidence: What explains the verdict.
    """
    own = next(option for option in options if option.choice == "self-host")
    cheapest_api = min(
        (option for option in options if option.choice in ("api", "hosted")),
        key=lambda option: option.monthly,
        default=None,
    )
    kept = evidence.kept_inside
    reasons: list[Reason]
    if cheapest_api is None:
        return Verdict(own, own, (NoComparator(),), tuple(options))
    if not evidence.data_may_leave:
        chosen = own
        reasons = [DataStays(own.monthly - cheapest_api.monthly, cheapest_api.api)]
    elif kept is not None and kept.everyone:
        chosen = own
        reasons = [AllTeamsStay(own.monthly - cheapest_api.monthly, cheapest_api.api)]
    else:
        chosen, reasons = _by_cost(options, cheapest_api, evidence)
        if kept is not None and chosen.choice in ("api", "hosted"):
            reasons.insert(0, SomeStayInside(kept, _cheapest_inside(options, kept)))
    if evidence.break_even is not None:
        reasons.append(evidence.break_even)
    if chosen is not own:
        reasons.append(
            OwnNodesIdle(1 - evidence.busy_share, evidence.staffing_share, evidence.on_cpus)
        )
    other = cheapest_api if chosen.choice in ("self-host", "hybrid") else own
    return Verdict(chosen, other, tuple(reasons), tuple(options))


def _by_cost(
    options: Sequence[Option], cheapest_api: Option, evidence: Evidence
) -> tuple[Option, list[Reason]]:
    best = min(options, key=lambda option: (option.monthly_if_slower, option.monthly))
    if best.choice in ("self-host", "hybrid"):
        return best, [HoldsIfSlower(best, evidence.error_percent)]
    planned = min(options, key=lambda option: option.monthly)
    if planned.choice in ("self-host", "hybrid"):
        return cheapest_api, [DependsOnCapacity(planned, evidence.error_percent, evidence.unit)]
    return cheapest_api, []


def _cheapest_inside(options: Sequence[Option], kept: KeptInside) -> Option:
    """Returns the cheapest option with own nodes that can take what stays inside."""
    needed = kept.largest_share or 0.0
    able = (
        option
        for option in options
        if option.choice == "self-host" or (option.split and option.split.own_share >= needed)
    )
    return min(able, key=lambda option: option.monthly)
