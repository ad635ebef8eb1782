"""A report as plain values: for the stack's output, `--format json` and the policies."""

from __future__ import annotations

from breakeven.catalog.price import PRIVATE
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.hybrid import Hybrid
from breakeven.cost.report import ApiCost, BreakEvenAgainst, Report
from breakeven.reports.formatting import money, month_name, rate
from breakeven.reports.sentences import recommendation
from breakeven.reports.sentences.line_items import (
    item_name,
    item_source,
    not_priced_name,
    not_priced_reason,
)
from breakeven.reports.sentences.notes import price_sources, report_notes


def summary(report: Report) -> dict[str, object]:
    """Returns the figures of the tables, short enough to be read as a stack's output.

    Money are decimal strings in USD a month, break-even is tokens a day, None for never.
    """
    return {
        "total": money(report.total),
        "perMillionTokens": rate(report.usd_per_million_tokens),
        "resources": {
            item_name(line): PRIVATE if line.private else money(line.monthly)
            for line in report.infrastructure.lines
        },
        "people": {
            **{item_name(line): money(line.monthly) for line in report.staffing},
            "Contingency": money(report.bill.contingency),
        },
        "notPriced": [
            f"{not_priced_name(item)}: {not_priced_reason(item)}"
            for item in report.infrastructure.not_priced
        ],
        "api": {report.api.price.reference: money(report.api.monthly)},
        "sameModelHosted": {cost.price.reference: money(cost.monthly) for cost in report.hosted},
        "breakEven": {
            row.api.price.reference: row.loaded.first_volume for row in report.break_even
        },
        "recommendation": report.verdict.choice,
        "reason": recommendation.summary(report.verdict),
    }


def as_output(report: Report) -> dict[str, object]:
    """Returns all figures as plain values, with quantities, prices, sources and dates.

    Money are decimal strings in USD a month.
    """
    budget, own_tokens = report.assumptions.budget_per_month, report.usd_per_million_own_tokens
    return {
        "currency": "USD",
        "month": month_name(report.assumptions.calendar),
        "tokensPerDay": report.assumptions.tokens_per_day,
        "budgetPerMonth": None if budget is None else money(budget),
        "selfHosted": {
            "total": money(report.total),
            "perMillionTokens": rate(report.usd_per_million_tokens),
            "perMillionOwnTokens": None if own_tokens is None else rate(own_tokens),
            "machines": money(report.infrastructure.monthly),
            "people": money(report.bill.staffing_monthly),
            "contingency": money(report.bill.contingency),
            "overflowByApi": money(report.bill.overflow_monthly),
            "lines": [
                _line_output(line) for line in (*report.infrastructure.lines, *report.staffing)
            ],
            "notPriced": [
                {
                    "name": not_priced_name(item),
                    "type": item.type,
                    "reason": not_priced_reason(item),
                }
                for item in report.infrastructure.not_priced
            ],
            "withoutCharge": len(report.infrastructure.without_charge),
            "busyShare": round(report.week.busy_share, 4),
            "unservedShare": round(report.week.unserved_share, 4),
            "meanNodes": round(report.week.mean_nodes, 4),
            "peakReplicas": report.week.peak_replicas,
        },
        "simulated": _simulated_output(report.simulated),
        "models": [_model_output(model) for model in report.models],
        "api": _api_output(report.api),
        "hosted": [_api_output(api) for api in report.hosted],
        "breakEven": [_break_even_output(row) for row in report.break_even],
        "hybrid": None if report.hybrid is None else _hybrid_output(report.hybrid),
        "recommendation": {
            "choice": report.verdict.choice,
            "monthly": money(report.verdict.monthly),
            "summary": recommendation.summary(report.verdict),
            "reasons": list(recommendation.reasons(report.verdict)),
        },
        "notes": [*report_notes(report), *price_sources(report)],
    }


def _model_output(model: ModelCost) -> dict[str, object]:
    hosted, monthly = model.hosted, model.hosted_monthly
    return {
        "model": model.assumptions.model_name,
        "tokensPerDay": model.assumptions.load.tokens_per_day,
        "own": money(model.own),
        "total": money(model.total),
        "perMillionTokens": rate(model.usd_per_million_tokens),
        "busyShare": round(model.busy_share, 4),
        "meanNodes": round(model.mean_nodes, 4),
        "peakReplicas": model.week.peak_replicas,
        "apiInUse": model.assumptions.api_in_use.reference,
        "apiMonthly": money(model.api_monthly),
        "hosted": None if hosted is None else hosted.reference,
        "hostedMonthly": None if monthly is None else money(monthly),
    }


def _simulated_output(week: SimulatedWeek) -> dict[str, object]:
    totals = week.totals
    return {
        "firstTokenSeconds": week.objective_seconds,
        "objectiveShare": round(totals.objective_share, 4),
        "meanQueueingSeconds": round(totals.mean_queueing_seconds, 3),
        "coldShare": round(totals.cold_share, 4),
        "overflowShare": round(totals.overflow_share, 4),
        "mostReplicas": totals.peak_replicas,
    }


def _line_output(line: LineItem) -> dict[str, object]:
    return {
        "identifier": line.identifier,
        "item": item_name(line),
        "quantity": rate(line.quantity),
        "unit": line.unit,
        "unitPrice": None if line.private else rate(line.unit_price),
        "monthly": None if line.private else money(line.monthly),
        "source": item_source(line),
        "asOf": line.as_of.isoformat() if line.as_of else None,
        "confidence": line.confidence,
    }


def _api_output(api: ApiCost) -> dict[str, object]:
    return {
        "api": api.price.reference,
        "sameModel": api.same_model,
        "monthly": money(api.monthly),
        "perMillionTokens": rate(api.price.usd_per_million_tokens),
        "source": api.price.source,
        "asOf": api.price.as_of.isoformat(),
    }


def _break_even_output(row: BreakEvenAgainst) -> dict[str, object]:
    return {
        "against": row.api.price.reference,
        "tokensPerDay": row.loaded.first_volume,
        "tokensPerDayMachinesOnly": row.infrastructure_only.first_volume,
        "tokensPerDayIfCapacityIsLow": row.loaded_low.first_volume,
        "tokensPerDayIfCapacityIsHigh": row.loaded_high.first_volume,
        "triedUpToNodes": row.loaded.largest_nodes,
        "triedUpToTokensPerDay": round(row.loaded.largest_tokens_per_day),
    }


def _hybrid_output(hybrid: Hybrid) -> dict[str, object]:
    return {
        "nodes": hybrid.nodes,
        "ownShare": round(hybrid.own_share, 4),
        "monthly": money(hybrid.monthly),
        "own": money(hybrid.own_monthly),
        "api": money(hybrid.api_monthly),
    }
