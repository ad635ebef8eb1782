"""Reads a model's cost from OpenCost.

The formats are those of OpenCost's docs/inference-cost-tracking.md, version 1 (July 2026). Of its
two cost bases only `allocation` reconciles to the bill: `usage` leaves idle hours out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from breakeven.cost.calendar import Calendar
from breakeven.cost.reconciliation.kind import Deployment, Kind, has_metric
from breakeven.cost.reconciliation.observations import HOURS_PER_DAY, Observed, ObservedError
from breakeven.cost.reconciliation.prometheus import read_json, read_series, read_value

TOTAL = "llm_total_cost"
PER_MILLION = "llm_cost_per_million_tokens"
"""Gauges, in USD per hour and USD per 1M tokens."""


def from_opencost(text: str, name: str, calendar: Calendar) -> Observed:
    """Reads a model's allocated cost, from the gauges or from `/inferenceCost/total`.

    Args:
        text: The answer of Prometheus or of OpenCost.
        name: Of the file, for messages.
        calendar: How long a month is.

    Raises:
        ObservedError: It cannot be read, has several models, or no cost by allocation.
    """
    document = read_json(text, name)
    data = document.get("data")
    if isinstance(data, dict) and ("inferenceCosts" in data or "inferenceCostSets" in data):
        sets = data.get("inferenceCostSets", [data])
        return _rest(sets, name, calendar)
    return _gauges(text, name, calendar)


def _gauges(text: str, name: str, calendar: Calendar) -> Observed:
    by_metric: dict[str, defaultdict[float, float]] = {
        TOTAL: defaultdict(float),
        PER_MILLION: defaultdict(float),
    }
    models: set[str] = set()
    rates = 0
    for labels, points in read_series(text, name):
        metric = str(labels.get("__name__", ""))
        if metric not in by_metric or labels.get("cost_basis") != "allocation":
            continue
        models.add(str(labels.get("model_name", "")))
        rates += metric == PER_MILLION
        for moment, value in points:
            by_metric[metric][moment] += value
    _refuse_several(models, name, 'model_name="..." in the query')
    totals, per_million = by_metric[TOTAL], by_metric[PER_MILLION]
    if not totals:
        msg = f'{name}: no series {TOTAL}{{cost_basis="allocation"}}; query it for the model'
        raise ObservedError(msg)
    hourly = math.fsum(totals.values()) / len(totals)
    # Prices of several replicas cannot be added, so the volume comes from one series alone.
    both = [
        totals[moment] / per_million[moment] * 1e6
        for moment in totals
        if rates == 1 and per_million.get(moment, 0) > 0
    ]
    tokens = math.fsum(both) / len(both) * HOURS_PER_DAY if both else 0.0
    return Observed(
        cost_per_month=Decimal(str(hourly)) * calendar.hours_per_month,
        cost_covers="nodes",
        tokens_per_day=round(tokens) or None,
    )


def _rest(sets: object, name: str, calendar: Calendar) -> Observed:
    cost = tokens = hours = 0.0
    models: set[str] = set()
    for one in sets if isinstance(sets, list) else []:
        costs = one.get("inferenceCosts") if isinstance(one, dict) else None
        if not isinstance(costs, dict):
            msg = f"{name}: no inferenceCosts in it. Save the answer of /inferenceCost/total again"
            raise ObservedError(msg)
        hours += _window_hours(one.get("window"), name)
        for entry in costs.values():
            found = entry if isinstance(entry, dict) else {}
            if found.get("costBasis") != "allocation":
                msg = (
                    f"{name}: costBasis {found.get('costBasis')!r} does not reconcile to the bill. "
                    "Ask with costBasis=allocation"
                )
                raise ObservedError(msg)
            properties = found.get("properties")
            models.add(str(properties.get("modelName") if isinstance(properties, dict) else ""))
            cost += read_value(found.get("totalCost"), name)
            tokens += read_value(found.get("totalTokens", 0), name)
    _refuse_several(models, name, "filter=model_name:NAME")
    return Observed(
        cost_per_month=Decimal(str(cost / hours)) * calendar.hours_per_month,
        cost_covers="nodes",
        tokens_per_day=round(tokens / hours * HOURS_PER_DAY) or None,
    )


def _window_hours(window: object, name: str) -> float:
    try:
        start, end = (datetime.fromisoformat(window[key]) for key in ("start", "end"))  # type: ignore[index]  # a TypeError is caught
        seconds = (end - start).total_seconds()
    except (TypeError, KeyError, ValueError):
        seconds = 0.0
    if seconds <= 0:
        msg = f"{name}: window has no start and end in order. Save OpenCost's answer unchanged"
        raise ObservedError(msg)
    return seconds / 3600


def _refuse_several(models: Iterable[str], name: str, remedy: str) -> None:
    found = sorted(models)
    if len(found) != 1:
        what = f"{len(found)} models ({', '.join(found)})" if found else "no cost by allocation"
        msg = f"{name}: {what}. Ask for the model of this stack alone: {remedy}"
        raise ObservedError(msg)


def _recognizes(text: str) -> bool:
    return '"inferenceCost' in text or has_metric(text, f'{TOTAL}"', f'{PER_MILLION}"')


def _read(text: str, name: str, deployment: Deployment) -> Observed:
    return from_opencost(text, name, deployment.calendar)


OPENCOST = Kind("opencost", _recognizes, _read)
