"""The recommendation of an estimate, and why."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE
from breakeven.cost.recommendation import (
    BreakEvenVolume,
    Choice,
    DataStays,
    DependsOnCapacity,
    FleetTooSmall,
    HoldsIfSlower,
    ObjectiveMissed,
    Option,
    OwnGpusIdle,
    Reason,
    Verdict,
)
from breakeven.reports.formatting import counted, usd, volume

_ADVICE: Mapping[Choice, str] = {
    "api": "Stay on the API",
    "hosted": "Use a hosted API for the same open model",
    "self-host": "Self-host",
    "hybrid": "Serve the base load yourself and send the rest to an API",
}

_INSIDE = "Prompts must stay inside (network.dataMayLeave: false)"


def summary(verdict: Verdict) -> str:
    """Says what to do, at what cost, compared with what."""
    chosen, other = verdict.chosen, verdict.compared
    ratio = ""
    if chosen.monthly > 0 and other.monthly > chosen.monthly:
        ratio = f" ({other.monthly / chosen.monthly:,.1f}x)"
    return (
        f"{_ADVICE[chosen.choice]}: {_option(chosen)} costs {usd(chosen.monthly)}/month; "
        f"{_option(other)} costs {usd(other.monthly)}/month{ratio}."
    )


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Says why, in falling weight."""
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


def _option(option: Option) -> str:
    if option.choice == "self-host":
        return "this stack"
    if option.split is None:
        return option.api
    nodes = counted(option.split.nodes, "node")
    return f"{nodes} of your own plus {option.api} for {1 - option.split.own_share:.0%} of requests"


def _reason(reason: Reason) -> str:  # noqa: C901, PLR0911  # one kind of reason each
    match reason:
        case DataStays(extra, api):
            if extra <= 0:
                return f"{_INSIDE}, which costs nothing extra."
            return f"{_INSIDE}, which costs {usd(extra)}/month more than {api}."
        case DependsOnCapacity(option, percent):
            return (
                f"{_ADVICE[option.choice]} at {usd(option.monthly)}/month would be cheaper, but if "
                f"a replica serves {percent:.0f}% less, it costs {usd(option.monthly_if_slower)}: "
                "measure a replica and set engine.measuredOutputTokensPerSecond."
            )
        case HoldsIfSlower(option, percent):
            return (
                f"It stays cheaper if a replica serves {percent:.0f}% less than estimated "
                f"({usd(option.monthly_if_slower)}/month)."
            )
        case FleetTooSmall():
            return (
                f"As configured, the fleet cannot serve {reason.unserved_share:.0%} of requests"
                f"{_of(reason.model)}: the peak minute needs {reason.replicas_needed} replicas "
                "(replicas.max)."
            )
        case ObjectiveMissed():
            return (
                f"Only {reason.objective_share:.0%} of requests{_of(reason.model)} would meet the "
                f"{reason.objective_seconds:g} s TTFT target; the objective is "
                f"{OBJECTIVE_SHARE:.0%}. A higher replicas.min, a lower replicas.targetRequests or "
                "other GPUs would help."
            )
        case BreakEvenVolume():
            return break_even_sentence(reason)
        case OwnGpusIdle(idle_share, staffing_share):
            return (
                f"The GPUs would sit idle {idle_share:.0%} of the time, and staffing is "
                f"{staffing_share:.0%} of the self-hosted cost."
            )


def _of(model: str) -> str:
    return f" of {model}" if model else ""
