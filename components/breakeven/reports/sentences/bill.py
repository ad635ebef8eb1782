"""What is behind a bill: the simulated week, what is free, what is not priced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from breakeven.catalog.gateway_work import AS_OF, SECONDS_PER_CHUNK, SECONDS_PER_REQUEST
from breakeven.cost.bill.left_out import LeftOut
from breakeven.cost.report import Report
from breakeven.reports.formatting import counted, usd, usd_per_million
from breakeven.reports.sentences.line_items import (
    cluster_part,
    not_priced_name,
    not_priced_reason,
)
from breakeven.reports.sentences.outlook import outlook_sentences
from breakeven.reports.sentences.staffing import staffing_sentence
from breakeven.reports.sentences.units import in_time

_SHOWN_SHARE = 0.0005  # less would read as 0.0%
_LARGE_SHARE_OF_STARTS = Decimal("0.05")

_TOTALS = ("total", "total with the candidate", "total with the candidates")

_LEFT_OUT: Mapping[LeftOut, str] = {
    LeftOut.TEXT_BETWEEN_ZONES: "text between zones and to the internet",
    LeftOut.TEXT_TO_INTERNET: "text to the internet",
    LeftOut.LOGS: "logs that the cloud stores (pricing.logGigabytesPerMonth)",
    LeftOut.WRITING_WEIGHTS: "writing the weights once for each revision",
    LeftOut.SHARED_HARDWARE: "hardware that the stack shares with others",
}
"""As the last section of docs/money.md lists it."""


def bill_notes(report: Report) -> Iterator[str]:
    """Says what is behind the bill: the simulated week, what is free, what is not priced."""
    totals = report.simulated.totals
    replicas = counted(totals.peak_replicas, "replica")
    yield (
        f"Simulated week: {report.week.mean_nodes:.2f} nodes on average, at most {replicas}; "
        f"{totals.objective_share:.2%} of "
        f"{in_time(report.assumptions.load.unit, report.simulated.objective_seconds)}."
    )
    if totals.overflow_share:
        yield _overflow(report)
    elif report.assumptions.fleet.lowest == 0 and totals.cold_share >= _SHOWN_SHARE:
        yield (
            f"{totals.cold_share:.1%} of requests come while no replica is ready, and wait for "
            "one to start."
        )
    yield from _gateway(report)
    free = len(report.infrastructure.without_charge)
    if free:
        yield f"{counted(free, 'resource')} {'is' if free == 1 else 'are'} free."
    if parts := report.not_charged():
        yield f"Not charged to this stack: {', '.join(map(cluster_part, parts))}."
    guidance = report.staffing_guidance
    if guidance.outside is not None:
        yield staffing_sentence(guidance)
    budget = report.assumptions.budget_per_month
    if budget is not None:
        total = report.total_with_candidate
        state = "within" if total <= budget else f"{usd(total - budget)} over"
        which = _TOTALS[min(len(report.candidates), 2)]
        yield f"Budget: {usd(budget)}/month; the {which} is {state} budget."
    yield from _starts(report)
    yield from outlook_sentences(report)
    yield from _not_counted(report)


def _not_counted(report: Report) -> Iterator[str]:
    if not report.infrastructure.not_priced:
        beside = [_LEFT_OUT[one] for one in report.left_out()]
        yield (
            f"All registered resources are priced. Not counted: {', '.join(beside)}."
            if beside
            else "All resources are priced."
        )
    for item in report.infrastructure.not_priced:
        kind = item.type.rsplit(":", 1)[-1]
        yield (
            f"Not priced, and not in the total: {not_priced_name(item)} ({kind}): "
            f"{not_priced_reason(item)}."
        )


def _starts(report: Report) -> Iterator[str]:
    starts = report.starts
    if starts.monthly > report.total * _LARGE_SHARE_OF_STARTS:
        yield (
            f"Starts: {starts.nodes:,.0f} nodes and {starts.replicas:,.0f} replicas per month, "
            f"whose images and weights cost {usd(starts.monthly)}/month, "
            f"{starts.monthly / report.total:.0%} of the total. A night schedule "
            "(replicas.schedule), a longer replicas.scaleDownSeconds or a higher replicas.min "
            "lowers it."
        )


def _gateway(report: Report) -> Iterator[str]:
    """Says how many pods the gateway has, and why."""
    peak, pods = report.gateway_peak, report.assumptions.cluster.gateway
    if peak is None or pods is None:
        return
    number = f"{pods.lowest}" if peak.pods == pods.lowest else f"{pods.lowest} to {peak.pods}"
    out = ", and as many for outbound requests (gateway.separateInside)" if pods.sets > 1 else ""
    yield (
        f"Gateway: {number} pods{out}; the busiest minute has {peak.requests_per_second:,.0f} "
        f"requests and {peak.chunks_per_second:,.0f} streamed tokens a second, which take "
        f"{peak.cores:.2f} CPU cores ({SECONDS_PER_REQUEST * 1000:g} s of CPU for 1,000 requests "
        f"and {SECONDS_PER_CHUNK * 10**6:g} s for 1M tokens, measured by {AS_OF})."
    )


def _overflow(report: Report) -> str:
    """Says how many requests the gateway sends to the API, and what the others cost."""
    totals = report.simulated.totals
    cold = ""
    if totals.cold_share >= _SHOWN_SHARE:
        cold = f" ({totals.cold_share:.1%} while no replica is ready)"
    return (
        f"In the simulated week, the gateway sends {totals.overflow_share:.1%} of requests to "
        f"{report.api.price.reference}{cold}.{_own_price(report)}"
    )


def _own_price(report: Report) -> str:
    """Says what a token of own replicas costs, which the gateway charges to teams."""
    prices = [
        (model.assumptions.model_name, usd_per_million(own))
        for model in report.models
        if (own := model.usd_per_million_own_tokens) is not None
    ]
    if len(report.models) == 1:
        return "".join(f" Self-hosted tokens cost {price} per 1M." for _, price in prices)
    listed = ", ".join(f"{price} ({name})" for name, price in prices)
    return f" Self-hosted tokens cost per 1M: {listed}." if prices else ""
