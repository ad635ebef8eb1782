"""The machines that a stack's pool could have instead: the choices of the page's list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.gpus import find_gpu
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL
from breakeven.cost.report import Report
from breakeven.planning.lever_candidates.machines import (
    cheapest_machines,
    machine_settings,
    on_machine,
)
from breakeven.planning.lever_candidates.sizes import capacity_for
from breakeven.settings.stack import Stack


@dataclass(frozen=True, slots=True)
class MachineChoice:
    """A machine, and the settings that take it.

    Attributes:
        name: Its type.
        label: Its GPUs and its price.
        settings: By dotted key; none for the machine that the stack has.
    """

    name: str
    label: str
    settings: Mapping[str, object]


def machine_choices(stack: Stack, report: Report) -> tuple[MachineChoice, ...]:
    """Returns the stack's machine and those that hold its model, by price; none for own nodes."""
    node = report.assumptions.node
    if not isinstance(node, RentedNode) or stack.pricing.nodes != "list":
        return ()
    pool = stack.pool
    own = MachineChoice(
        node.machine,
        f"{pool.gpus_per_node} x {pool.gpu.name}, {node.machine}, ${node.price.usd:,.2f}/hour",
        {},
    )
    found = [(node.price.usd, own), *_others(stack, report)]
    return tuple(choice for _, choice in sorted(found, key=lambda each: each[0]))


def _others(stack: Stack, report: Report) -> Iterator[tuple[Decimal, MachineChoice]]:
    [settings] = stack.models
    for price, shape in cheapest_machines(stack, report):
        for parallel in TENSOR_PARALLEL:
            if shape.gpus % parallel or not settings.model.facts.splits_over(parallel):
                continue
            other = on_machine(settings, find_gpu(shape.gpu or ""), shape.gpus, parallel)
            capacity = capacity_for(other, report.assumptions)
            if capacity is None:
                continue
            changed = machine_settings(settings, other, shape)
            if settings.replicas.target_requests > capacity.held_requests:
                changed["replicas.targetRequests"] = capacity.concurrent_requests
            label = f"{shape.gpus} x {shape.gpu}, {shape.instance_type}, ${price.usd:,.2f}/hour"
            yield price.usd, MachineChoice(shape.instance_type, label, changed)
            break
