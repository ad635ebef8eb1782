"""Over all stacks: what a stack plans for does not move its break-even, and costs meet there."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from breakeven.cost.report import Report
from breakeven.planning.offline import load_values
from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.traffic import TrafficSettings
from tests.each import each

TODAY = date(2026, 11, 30)
FACTORS = (0.02, 40.0)
"""Of the stack's own volume."""

MOST_REPLICAS = 1000


def at_volume(stack: str, factor: float, nodes: int | None = None) -> Report:
    """Estimates a stack that serves everything itself, at another volume.

    Args:
        stack: Name of its file.
        factor: On its tokens a day.
        nodes: Of a pool or a fleet of constant size; None for as many as the file says.
    """
    values: dict[str, Any] = copy.deepcopy(dict(stack_values(stack)))
    values.pop("gateway", None)
    pool = values.get("pool", {})
    pool.pop("gpuQuota", None)
    values.setdefault("weights", {})["accessMode"] = "ReadWriteMany"
    for model in _models(values):
        traffic, replicas = model.setdefault("traffic", {}), model.setdefault("replicas", {})
        stated = traffic.get("tokensPerDay", TrafficSettings().tokens_per_day)
        traffic["tokensPerDay"] = max(1, round(stated * factor))
        if nodes is not None:
            replicas["max"] = replicas["min"] = nodes * _replicas_per_node(values)
        elif replicas.get("autoscaling", True) and "kind" in pool:
            replicas["max"] = MOST_REPLICAS
    if nodes is not None and pool.get("kind", "existing") == "existing":
        pool["nodeCount"] = nodes
    return load_values(stack, values, TODAY).report()


def _models(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from values.get("models", [values])


def _replicas_per_node(values: Mapping[str, Any]) -> int:
    gpus = int(values.get("pool", {}).get("gpusPerNode", 1))
    return max(1, gpus // int(values.get("engine", {}).get("tensorParallel", 1)))


@each("stack", stack_names())
def test_the_break_even_does_not_depend_on_the_planned_volume(stack: str) -> None:
    def volumes(factor: float) -> list[int]:
        rows = at_volume(stack, factor).break_even
        return [row.loaded.first_volume or 0 for row in rows]

    expected = volumes(1.0)
    for factor in FACTORS:
        found = volumes(factor)
        # A node more in one hour of the week, the least step of the staircase, is 0.05% of a bill.
        assert found == pytest.approx(expected, rel=5e-4), factor


@each("stack", stack_names())
def test_at_its_break_even_a_stack_costs_what_the_api_does(stack: str) -> None:
    stated = at_volume(stack, 1.0)
    fleet = stated.assumptions.fleet
    constant = fleet.fixed_nodes is not None or not fleet.autoscaling
    for number, row in enumerate(stated.break_even):
        if row.loaded.never:
            continue
        first = row.loaded.cheaper[0]
        factor = first.from_tokens_per_day / stated.assumptions.tokens_per_day
        nodes = first.nodes if constant else None
        report = at_volume(stack, factor, nodes)
        api = report.break_even[number].api.monthly
        # A fleet grows by whole nodes: the least step of its cost is a node.
        assert abs(report.total - api) < report.bill.node_monthly, (report.total, api)
