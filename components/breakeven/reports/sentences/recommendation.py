"""The recommendation of an estimate, and why."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.cost.capacity.latency import Objective
from breakeven.cost.fleet.plan import NEGLIGIBLE_UNSERVED_SHARE
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE
from breakeven.cost.recommendation import (
    AllTeamsStay,
    BreakEvenVolume,
    Choice,
    DataStays,
    DependsOnCapacity,
    HoldsIfSlower,
    KeptInside,
    NoComparator,
    Option,
    OwnNodesIdle,
    Reason,
    SomeStayInside,
    Verdict,
)
from breakeven.cost.report import ModelShortfall, Shortfall
from breakeven.reports.formatting import counted, usd, volume
from breakeven.reports.sentences.units import in_time, measured_speed

_ADVICE: Mapping[Choice, str] = {
    "api": "Stay on the API",
    "hosted": "Use a hosted API for the same open model",
    "self-host": "Self-host",
    "hybrid": "Serve the base load yourself and send the rest to an API",
}

_ALL = 0.9995
"""A share of requests that is shown as all of them."""

_INSIDE = "Prompts must stay inside (network.dataMayLeave: false)"
_ALL_TEAMS = "Prompts of every team must stay inside (dataMayLeave: false in gateway.teams)"

_MISSED: Mapping[Objective, str] = {
    "first-token": "misses the TTFT objective",
    "inter-token": "misses the ITL objective",
}


def summary(verdict: Verdict) -> str:
    """Returns the recommendation, its cost, and what it is compared with."""
    chosen, other = verdict.chosen, verdict.compared
    if other is chosen:
        return (
            f"No comparison: {_option(chosen)} costs {usd(chosen.monthly)}/month, and every API "
            "is excluded."
        )
    ratio = ""
    if chosen.monthly > 0 and other.monthly > chosen.monthly:
        ratio = f" ({other.monthly / chosen.monthly:,.1f}x)"
    because = "".join(map(_condition, verdict.reasons))
    return (
        f"{_ADVICE[chosen.choice]}{because}: {_option(chosen)} costs {usd(chosen.monthly)}/month; "
        f"{_option(other)} costs {usd(other.monthly)}/month{ratio}."
    )


def _condition(reason: Reason) -> str:
    """Returns what restricts the advice; empty for a reason that only explains it."""
    match reason:
        case DataStays():
            return ", because prompts must stay inside (network.dataMayLeave: false)"
        case AllTeamsStay():
            return ", because prompts of every team must stay inside"
        case SomeStayInside(kept):
            return f", except for {_kept(kept)}"
        case _:
            return ""


def _kept(kept: KeptInside) -> str:
    if not kept.teams:
        return "requests with the header x-stay-inside"
    return f"{'team' if len(kept.teams) == 1 else 'teams'} {', '.join(kept.teams)}"


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Returns the reasons, most important first."""
    return tuple(_reason(reason) for reason in verdict.reasons)


def break_even_sentence(found: BreakEvenVolume) -> str:
    """Says where self-hosting starts to cost less than an API."""
    result = found.result
    if result.never:
        return (
            f"Self-hosting never costs less than {found.api}, up to {result.largest_nodes} nodes "
            f"({volume(result.largest_tokens_per_day)} tokens per day)."
        )
    first = result.cheaper[0]
    return (
        f"Self-hosting costs less than {found.api} from {volume(first.from_tokens_per_day)} tokens "
        f"per day ({counted(first.nodes, 'node')} at peak); this stack plans for "
        f"{volume(found.tokens_per_day)}."
    )


def shortfall_sentences(shortfall: Shortfall) -> tuple[str, ...]:
    """Returns what the configured fleet does not serve, and which fleet would."""
    settings = "; ".join(_settings(model) for model in shortfall.models)
    peak = f"{counted(shortfall.nodes, 'node')} at peak"
    size = f"{settings} ({peak}): {usd(shortfall.monthly)}/month"
    reached = min(model.serving_share for model in shortfall.models)
    if reached < OBJECTIVE_SHARE:
        remedy = (
            "More replicas alone do not meet the objective with this model and GPU: about "
            f"{reached:.0%} are in time with {size}. "
        )
    else:
        remedy = f"To serve all requests in time, set {size}. "
    remedy += "Options are compared at that size."
    return (*(_too_small(model) for model in shortfall.models), remedy)


def _too_small(model: ModelShortfall) -> str:
    misses = []
    if model.unserved_share > NEGLIGIBLE_UNSERVED_SHARE:
        misses.append(
            f"it cannot serve {model.unserved_share:.1%} of {model.unit}s within its latency "
            "objectives"
        )
    if model.objective_share < OBJECTIVE_SHARE:
        misses.append(
            f"{model.objective_share:.1%} of {in_time(model.unit, model.objective_seconds)} "
            f"(objective: {OBJECTIVE_SHARE:.0%})"
        )
    of_model = f" for {model.model}" if model.model else ""
    return f"This stack is too small as configured{of_model}: {', and '.join(misses)}."


def _settings(model: ModelShortfall) -> str:
    before, after = model.configured, model.serving
    changes = []
    if after.lowest != before.lowest:
        changes.append(f"replicas.min {after.lowest}")
    if after.highest != before.highest:
        changes.append(f"replicas.max {after.highest}")
    if before.autoscaling and not after.autoscaling:
        changes.append("replicas.autoscaling false")
    if after.fixed_nodes is not None and after.fixed_nodes != before.fixed_nodes:
        changes.append(f"pool.nodeCount {after.fixed_nodes * after.machines_per_node}")
    of_model = f" for {model.model}" if model.model else ""
    return f"{', '.join(changes)}{of_model}"


def option_name(option: Option) -> str:
    """Names an option in a table, with the latency objective that it misses."""
    name = _unmarked_name(option)
    return name if option.missed is None else f"{name} ({_MISSED[option.missed]})"


def _unmarked_name(option: Option) -> str:
    if option.choice == "api":
        return f"Stay on {option.api}"
    if option.choice == "hosted":
        return f"Same model at {option.api}"
    if option.split is None:
        if option.enlarged_to:
            return f"Self-host with up to {counted(option.enlarged_to, 'node')}"
        return "Self-host this stack"
    nodes = counted(option.split.nodes, "own node")
    if option.split.own_share >= _ALL:
        return f"Hybrid: {nodes}, API as fallback"
    return f"Hybrid: {nodes} for {option.split.own_share:.0%} of requests, API for the rest"


def _option(option: Option) -> str:
    if option.choice == "self-host":
        if option.enlarged_to:
            return f"this stack with up to {counted(option.enlarged_to, 'node')}"
        return "this stack"
    if option.split is None:
        return option.api
    nodes = counted(option.split.nodes, "node")
    if option.split.own_share >= _ALL:
        return f"{nodes} of your own with {option.api} as fallback"
    return f"{nodes} of your own plus {option.api} for {1 - option.split.own_share:.0%} of requests"


def _reason(reason: Reason) -> str:
    match reason:
        case NoComparator():
            return (
                "Every API is excluded: each is retired, accepts only shorter requests, or is "
                "outside api.regions. Name an available one in api.inUse or api.hosted."
            )
        case DataStays() | AllTeamsStay() | SomeStayInside():
            return _stays_inside(reason)
        case DependsOnCapacity(option, percent, unit):
            return (
                f"{_ADVICE[option.choice]} at {usd(option.monthly)}/month would be cheaper, but if "
                f"a replica serves {percent:.0f}% less, it costs {usd(option.monthly_if_slower)}: "
                f"measure a replica and set {measured_speed(unit)}."
            )
        case HoldsIfSlower(option, percent):
            return (
                f"It stays cheaper if a replica serves {percent:.0f}% less than estimated "
                f"({usd(option.monthly_if_slower)}/month)."
            )
        case BreakEvenVolume():
            return break_even_sentence(reason)
        case OwnNodesIdle(idle_share, staffing_share, on_cpus):
            idle = "CPU nodes" if on_cpus else "GPUs"
            return (
                f"The {idle} would sit idle {idle_share:.0%} of the time, and staffing is "
                f"{staffing_share:.0%} of the self-hosted cost."
            )


def _stays_inside(reason: DataStays | AllTeamsStay | SomeStayInside) -> str:
    """Says whose prompts no API may get, and what that costs."""
    if isinstance(reason, SomeStayInside):
        kept, keeps = reason.kept, reason.keeps
        share = "Their share of the traffic is unknown"
        if kept.largest_share is not None:
            share = f"Their limits allow at most {kept.largest_share:.0%} of the tokens"
        return (
            f"{kept_inside_sentence(kept)} {share}; every option is priced for all traffic. The "
            f"cheapest option that keeps them inside: {option_name(keeps)}, "
            f"{usd(keeps.monthly)}/month."
        )
    who = _INSIDE if isinstance(reason, DataStays) else _ALL_TEAMS
    if reason.extra <= 0:
        return f"{who}, which costs nothing extra."
    return f"{who}, which costs {usd(reason.extra)}/month more than {reason.api}."


def kept_inside_sentence(kept: KeptInside) -> str:
    """Says whose requests no API may serve."""
    if not kept.teams:
        return f"{_kept(kept).capitalize()} must stay inside (gateway.separateInside: true)."
    keys = ", ".join(f"gateway.teams.{team}" for team in kept.teams)
    return f"Prompts of {_kept(kept)} must stay inside (dataMayLeave: false in {keys})."
