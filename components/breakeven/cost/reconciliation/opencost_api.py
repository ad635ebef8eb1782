"""Reads OpenCost's answers about allocations and assets: what pods hold, and what nodes cost.

Fields: opencost.io, API of 1.1x, read on 2026-11-30. Prices are OpenCost's, which are the cloud's
list prices unless it was given a bill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from breakeven.cost.calendar import Calendar
from breakeven.cost.reconciliation.kind import Deployment, Kind
from breakeven.cost.reconciliation.observations import Observed, ObservedError
from breakeven.cost.reconciliation.prometheus import read_json, read_value

_NODE_COSTS = ("cpuCost", "gpuCost", "ramCost")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One allocation or asset of one step."""

    name: str
    start: datetime
    end: datetime
    fields: Mapping[str, Any]


def from_allocation(text: str, name: str, calendar: Calendar, namespace: str) -> Observed:
    """Reads what the pods of a namespace hold of nodes, from `/allocation?aggregate=namespace`.

    Disks, load balancers and idle nodes are not in it: it is held against the lines of the estimate
    that grow with GPU nodes, as the inference cost of `from_opencost`.

    Args:
        text: The answer.
        name: Of the file, for messages.
        calendar: How long a month is.
        namespace: Of the stack.

    Raises:
        ObservedError: It cannot be read, or has no such namespace.
    """
    entries = list(_entries(text, name))
    own = [entry for entry in entries if entry.name.rpartition("/")[2] == namespace]
    if not own:
        seen = ", ".join(sorted({entry.name for entry in entries})[:6]) or "none"
        msg = (
            f"{name}: no allocation of namespace {namespace}; found {seen}. "
            "Ask with aggregate=namespace"
        )
        raise ObservedError(msg)
    cost = sum(read_value(entry.fields.get(key, 0), name) for entry in own for key in _NODE_COSTS)
    return Observed(
        cost_per_month=Decimal(str(cost / _hours(entries))) * calendar.hours_per_month,
        cost_covers="nodes",
    )


def from_assets(text: str, name: str) -> Observed:
    """Reads how many GPU nodes ran and what an hour of one cost, from `/assets`.

    Args:
        text: The answer.
        name: Of the file, for messages.

    Raises:
        ObservedError: It cannot be read, or no node has a GPU.
    """
    entries = list(_entries(text, name))
    nodes = [
        entry
        for entry in entries
        if entry.fields.get("type") == "Node" and read_value(entry.fields.get("gpuCount", 0), name)
    ]
    if not nodes:
        msg = f"{name}: no node with a GPU. Ask for the time in which the model served"
        raise ObservedError(msg)
    hours = sum(read_value(entry.fields.get("minutes"), name) for entry in nodes) / 60
    cost = sum(read_value(entry.fields.get("totalCost"), name) for entry in nodes)
    if not hours:
        msg = f"{name}: its nodes ran for no minute. Ask for a longer window"
        raise ObservedError(msg)
    return Observed(
        mean_nodes=hours / _hours(entries), node_price_per_hour=Decimal(f"{cost / hours:.6f}")
    )


def _entries(text: str, name: str) -> Iterator[_Entry]:
    data = read_json(text, name).get("data")
    steps = data if isinstance(data, list) else [data]
    for step in steps:
        if not isinstance(step, dict):
            msg = f"{name}: no step in it. Save the answer of OpenCost unchanged"
            raise ObservedError(msg)
        for key, fields in step.items():
            window = fields.get("window") if isinstance(fields, dict) else None
            try:
                start, end = (_time(window[side]) for side in ("start", "end"))  # type: ignore[index]  # a TypeError is caught
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                msg = f"{name}: {key}: window has no start and end. Save the answer unchanged"
                raise ObservedError(msg) from error
            yield _Entry(str(fields.get("name") or key), start, end, fields)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _hours(entries: list[_Entry]) -> float:
    start, end = min(one.start for one in entries), max(one.end for one in entries)
    return max((end - start).total_seconds(), 1.0) / 3600


def _is_allocation(text: str) -> bool:
    return '"cpuCoreHours"' in text and '"gpuCost"' in text and '"window"' in text


def _is_assets(text: str) -> bool:
    return '"gpuCount"' in text and '"type"' in text and '"window"' in text


def _read_allocation(text: str, name: str, deployment: Deployment) -> Observed:
    return from_allocation(text, name, deployment.calendar, deployment.namespace)


def _read_assets(text: str, name: str, _deployment: Deployment) -> Observed:
    return from_assets(text, name)


ALLOCATION = Kind("allocation", _is_allocation, _read_allocation)
ASSETS = Kind("assets", _is_assets, _read_assets)
