"""How much of an engineer a fleet takes, to compare with what a stack states.

Assumptions of this project, in percent of one engineer, from little to much:

- 5 to 20 for one model in production: upgrades of engine and cluster, alerts, incidents;
- 2 to 10 for each further model;
- 0.5 to 2 for each GPU node at peak: quotas, drivers, nodes that do not come up or fail;
- 0.3 to 1 more for each owned node, whose hardware somebody has to replace. Meta counted 419
  unexpected interruptions in 54 days on 16,384 H100, in nodes of eight (DatacenterDynamics,
  2024-07-29): 1.4 a year and node; at 4 to 16 hours of work each, of 2,080 hours a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode

_ONE_MODEL = Decimal("0.05"), Decimal("0.20")
_FURTHER_MODEL = Decimal("0.02"), Decimal("0.10")
_NODE = Decimal("0.005"), Decimal("0.02")
_OWNED_NODE = Decimal("0.003"), Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffingGuidance:
    """What this project assumes for a fleet. Shares of one engineer, 0 or more.

    Attributes:
        low: The least.
        high: The most.
        stated: What the stack states.
        nodes: Nodes of the pool at peak that it is about.
        models: Models that the stack serves.
        monthly_salary: USD per month for a whole engineer.
        on_cpus: Whether the nodes serve on CPUs, without GPUs.
    """

    low: Decimal
    high: Decimal
    stated: Decimal
    nodes: int
    models: int
    monthly_salary: Decimal
    on_cpus: bool = False

    @property
    def outside(self) -> Literal["below", "above"] | None:
        """On which side of the range the stated share is; None for within."""
        if self.stated < self.low:
            return "below"
        return "above" if self.stated > self.high else None


def staffing_guidance(assumptions: Assumptions, nodes: int) -> StaffingGuidance:
    """Compares the stated share of an engineer with the fleet.

    Args:
        assumptions: Of the stack.
        nodes: GPU nodes at peak, 0 or more.
    """
    owned = nodes if isinstance(assumptions.node, OwnedNode) else 0
    further = len(assumptions.models) - 1
    low, high = (
        model + further * more + nodes * node + owned * hardware
        for model, more, node, hardware in zip(
            _ONE_MODEL, _FURTHER_MODEL, _NODE, _OWNED_NODE, strict=True
        )
    )
    return StaffingGuidance(
        low=low,
        high=high,
        stated=assumptions.staffing.engineer_share,
        nodes=nodes,
        models=further + 1,
        monthly_salary=assumptions.staffing.engineer_salary / 12,
        on_cpus=assumptions.engine.gpu.is_cpu,
    )
