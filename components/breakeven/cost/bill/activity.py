"""What the load makes a fleet do, in the units in which charges grow with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import Driver
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.cost.gateway import gateway_curve
from breakeven.money import to_decimal

BYTES_PER_TOKEN = 5
"""Bytes that a token takes on the wire, JSON and headers aside: an estimate, 4 to 5 for English."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The week of one model, or of all.

    Attributes:
        assumptions: Of the model; of the first one for all.
        week: What its replicas do.
        tokens_per_day: Its input and output tokens.
    """

    assumptions: Assumptions
    week: FleetWeek
    tokens_per_day: int

    def amount_of(self, driver: Driver) -> Decimal:
        """Returns how much there is of a driver; 1 of what is the same at any load."""
        week, fleet = self.week, self.assumptions.fleet
        if driver is Driver.NOTHING:
            return Decimal(1)
        if driver is Driver.TOKENS:
            return Decimal(self.tokens_per_day)
        if driver is Driver.GATEWAY_PODS:
            return self._gateway_pods()
        if driver is Driver.OVERFLOW:
            return self.tokens_per_day * to_decimal(week.overflow_share)
        if driver is Driver.ANSWERED:
            share = 1 - min(week.overflow_share + week.unserved_share, 1.0)
            return self.tokens_per_day * to_decimal(share)
        return to_decimal(
            {
                Driver.NODES: week.mean_nodes,
                Driver.WORK: week.mean_nodes * week.busy_share * fleet.gpus_per_node,
                Driver.NODE_STARTS: week.node_starts_per_hour,
                Driver.REPLICA_STARTS: week.replica_starts_per_hour,
            }[driver]
        )

    def _gateway_pods(self) -> Decimal:
        pods = self.assumptions.cluster.gateway
        if pods is None:
            return Decimal(0)
        loads = [model.load for model in self.assumptions.models]
        beyond = gateway_curve(pods, loads).beyond(self.tokens_per_day)
        return to_decimal(beyond * pods.sets)


def activities_of(
    assumptions: Assumptions, week: FleetWeek, by_model: Sequence[FleetWeek]
) -> dict[str, Activity]:
    """Returns the activity of all models by an empty name, and of each by its own.

    Args:
        assumptions: Of the stack.
        week: What all replicas do.
        by_model: What those of each model do, where a stack has several; otherwise empty.
    """
    models = assumptions.models if by_model else ()
    return {
        "": Activity(assumptions, week, assumptions.tokens_per_day),
        **{
            model.model_name: Activity(model, one, model.load.tokens_per_day)
            for model, one in zip(models, by_model, strict=True)
        },
    }
