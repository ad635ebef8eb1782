"""What to do, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE
from breakeven.formatting import usd

Choice = Literal["api", "hosted", "self-host", "hybrid"]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to serve the traffic.

    Attributes:
        choice: Which kind.
        label: How a sentence names it.
        monthly: USD a month, everything counted.
        monthly_if_slower: The same if a replica serves as little as its band allows.
    """

    choice: Choice
    label: str
    monthly: Decimal
    monthly_if_slower: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Figures that explain a verdict.

    Attributes:
        data_may_leave: Whether prompts may go to an API.
        busy_share: Share of the paid GPU time that works, 0 to 1.
        staffing_share: People over the self-hosted bill, 0 to 1.
        unserved_share: Requests that the configured fleet can't serve, 0 to 1.
        objective_share: Requests whose first token comes in time, 0 to 1; simulated.
        objective_seconds: What in time means.
        replicas_needed: Replicas that the busiest minute needs.
        break_even: In words, against the cheapest API.
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
    break_even: str
    error_percent: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recommendation.

    Attributes:
        choice: Which kind.
        monthly: USD a month that it costs.
        summary: One sentence: what, at what cost, beside what.
        reasons: Why, in falling weight.
    """

    choice: Choice
    monthly: Decimal
    summary: str
    reasons: tuple[str, ...]


_ADVICE = {
    "api": "Stay on the API",
    "hosted": "Use the open model hosted by others",
    "self-host": "Self-host",
    "hybrid": "Serve the base load yourself and send the rest to an API",
}

_LARGEST_UNSERVED = 0.001
"""Requests beyond capacity that count as measurement noise rather than as a fleet too small."""


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
    if not evidence.data_may_leave:
        chosen, reasons = own, [_compliance(own, cheapest_api)]
    else:
        chosen, reasons = _by_cost(by_cost, cheapest_api, evidence)
    reasons += _explain(chosen, own, evidence)
    other = cheapest_api if chosen.choice in ("self-host", "hybrid") else own
    return Verdict(chosen.choice, chosen.monthly, _summary(chosen, other), tuple(reasons))


def _by_cost(
    by_cost: Sequence[Option], cheapest_api: Option, evidence: Evidence
) -> tuple[Option, list[str]]:
    candidates = [
        option
        for option in by_cost
        if option.choice != "self-host" or evidence.unserved_share <= _LARGEST_UNSERVED
    ]
    best = candidates[0]
    if best.choice not in ("self-host", "hybrid"):
        return best, []
    if best.monthly_if_slower > cheapest_api.monthly:
        reason = (
            f"{_ADVICE[best.choice]} at {usd(best.monthly)} a month would be cheaper, but if a "
            f"replica serves {evidence.error_percent:.0f}% less it is "
            f"{usd(best.monthly_if_slower)}: measure one and set measuredOutputTokensPerSecond."
        )
        return cheapest_api, [reason]
    reason = (
        f"It stays cheaper if a replica serves {evidence.error_percent:.0f}% less than estimated "
        f"({usd(best.monthly_if_slower)})."
    )
    return best, [reason]


def _compliance(own: Option, cheapest_api: Option) -> str:
    extra = own.monthly - cheapest_api.monthly
    if extra <= 0:
        return "Prompts must stay inside (dataMayLeave: false), and that costs nothing extra."
    return (
        f"Prompts must stay inside (dataMayLeave: false): that costs {usd(extra)} a month more "
        f"than {cheapest_api.label}."
    )


def _explain(chosen: Option, own: Option, evidence: Evidence) -> Iterator[str]:
    of_model = f" of {evidence.model}" if evidence.model else ""
    if evidence.unserved_share > _LARGEST_UNSERVED:
        yield (
            f"As configured, the fleet can't serve {evidence.unserved_share:.0%} of the requests"
            f"{of_model}: "
            f"the busiest minute needs {evidence.replicas_needed} replicas (maxReplicas)."
        )
    elif evidence.objective_share < OBJECTIVE_SHARE:
        yield (
            f"Only {evidence.objective_share:.0%} of requests{of_model} would get their first "
            f"token within "
            f"{evidence.objective_seconds:g} s, {OBJECTIVE_SHARE:.0%} should: a higher minReplicas "
            "or a lower targetRequestsPerReplica helps, or other GPUs."
        )
    yield evidence.break_even
    if chosen is not own:
        yield (
            f"Its own GPUs would be idle {1 - evidence.busy_share:.0%} of the time, and people are "
            f"{evidence.staffing_share:.0%} of the self-hosted bill."
        )


def _summary(chosen: Option, other: Option) -> str:
    ratio = ""
    if chosen.monthly > 0 and other.monthly > chosen.monthly:
        ratio = f", {other.monthly / chosen.monthly:,.1f} times as much"
    return (
        f"{_ADVICE[chosen.choice]}: {chosen.label} costs {usd(chosen.monthly)} a month, "
        f"{other.label} {usd(other.monthly)}{ratio}."
    )
