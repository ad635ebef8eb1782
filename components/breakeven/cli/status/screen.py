"""One screen of `breakeven status`, for people."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.cluster.status.snapshot import CandidateNow, ModelNow, NodesNow, Snapshot, Spend

_ALERTS = 5


def screen(snapshot: Snapshot, error: str = "") -> RenderableType:
    """Formats a snapshot.

    Args:
        snapshot: The last snapshot.
        error: Why there is no newer one; empty if it is current.
    """
    head = f"{snapshot.stack} on {snapshot.context}, {snapshot.at:%Y-%m-%d %H:%M:%S} UTC"
    parts: list[RenderableType] = [Text(head, style="bold"), _table(snapshot)]
    if snapshot.alerts:
        parts.append(_alerts(snapshot))
    parts += [Text(f"unknown: {each}") for each in snapshot.missing]
    if error:
        parts.append(Text(f"not refreshed: {error}", style="bold"))
    return Group(*parts)


def _table(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    several = len(snapshot.models) > 1
    for model in snapshot.models:
        label = f" of {model.model}" if several else ""
        table.add_row(f"replicas{label}", _replicas(model))
        for each in model.not_ready:
            table.add_row("", f"{each.replicas} not ready ({each.cause}): {each.detail}")
        table.add_row("queue", _queue(model))
        table.add_row("TTFT, P95", _seconds(model.first_token_p95_seconds))
        if model.candidate is not None:
            for line in _candidate(model.candidate, label):
                table.add_row(*line)
    for line in _nodes(snapshot.nodes):
        table.add_row(*line)
    for name, value in _spend(snapshot.spend):
        table.add_row(name, value)
    table.add_row("traffic split", _shares(snapshot))
    if snapshot.alerts is not None and not snapshot.alerts:
        table.add_row("alerts", "none")
    return table


def _candidate(candidate: CandidateNow, label: str) -> Iterator[tuple[str, str]]:
    yield f"candidate{label}", _replicas(candidate)
    for each in candidate.not_ready:
        yield "", f"{each.replicas} not ready ({each.cause}): {each.detail}"
    share = "unknown" if candidate.share is None else f"{candidate.share:.0%}"
    failed = "" if candidate.failed_share is None else f"; {candidate.failed_share:.1%} failed"
    yield "", f"{share} of self-hosted requests, planned {candidate.planned_share:.0%}{failed}"
    yield "", f"TTFT, P95 {_seconds(candidate.first_token_p95_seconds)}"


def _replicas(model: ModelNow | CandidateNow) -> str:
    if model.wanted is None:
        return "not deployed"
    starting = max(model.wanted - model.ready, 0)
    return f"{model.wanted} wanted, {model.ready} ready, {starting} not ready"


def _queue(model: ModelNow) -> str:
    if model.queue is None and model.running is None:
        return "unknown"
    rate = model.requests_per_second
    served = f"; {rate:.2f} requests/s" if rate is not None else ""
    return f"{model.queue or 0:.0f} queued, {model.running or 0:.0f} running{served}"


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} s"


def _nodes(nodes: list[NodesNow]) -> list[tuple[str, str]]:
    if not nodes:
        return [("nodes", "none")]
    lines = []
    for number, each in enumerate(nodes):
        price = "price unknown" if each.hourly_each is None else f"{_usd(each.hourly_each)}/h each"
        away = f", {each.count - each.ready} not ready" if each.count > each.ready else ""
        text = f"{each.count} x {each.machine}, {each.purchase}{away}, {price}"
        lines.append(("" if number else "nodes", text))
    return lines


def _spend(spend: Spend) -> list[tuple[str, str]]:
    now = "unknown" if spend.hourly_now is None else f"{_usd(spend.hourly_now)}/h"
    lines = [("cost now", f"{now}; plan {_usd(spend.planned_hourly)}/h")]
    if spend.this_month is None or spend.today is None or spend.this_hour is None:
        return [*lines, ("spend", spend.source)]
    budget = "" if spend.budget_month is None else f", budget {_usd(spend.budget_month)}"
    so_far = f"{_usd(spend.this_month)}; planned so far {_usd(spend.planned_this_month)}"
    return [
        *lines,
        ("spend this hour", _usd(spend.this_hour)),
        ("spend today", f"{_usd(spend.today)}; planned so far {_usd(spend.planned_today)}"),
        ("spend this month", f"{so_far}, full month {_usd(spend.planned_month)}{budget}"),
        ("", f"({spend.source})"),
    ]


def _shares(snapshot: Snapshot) -> str:
    if snapshot.own_share is None or snapshot.api_share is None:
        return "unknown"
    return f"{snapshot.own_share:.0%} self-hosted, {snapshot.api_share:.0%} API"


def _alerts(snapshot: Snapshot) -> Table:
    table = Table("Alert", "Severity", "Since", "Summary", box=None)
    for alert in (snapshot.alerts or [])[:_ALERTS]:
        table.add_row(alert.name, alert.severity, alert.since[:16], alert.summary)
    more = len(snapshot.alerts or []) - _ALERTS
    if more > 0:
        table.add_row(f"{more} more", "", "", "")
    return table


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}"
