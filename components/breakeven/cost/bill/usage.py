"""How a stack's resources are used: what its fleet does with the load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import ROOT_VOLUME, Charge, LineItemKind
from breakeven.cost.bill.line_item import stated_price
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.money import to_decimal

BYTES_PER_TOKEN = 5
"""Bytes that a token takes on the wire, JSON and headers aside: an estimate, 4 to 5 for English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackUsage:
    """The use of a stack's resources.

    Attributes:
        week: What the fleet does with the load.
        assumptions: Of the stack.
        by_model: What the fleet does for each model, where a stack has several; else empty.
        has_pool: Whether the stack registers a GPU pool.
    """

    week: FleetWeek
    assumptions: Assumptions
    by_model: Sequence[FleetWeek]
    has_pool: bool

    @property
    def hours_per_month(self) -> Decimal:
        """Hours that a resource is paid for."""
        return self.assumptions.calendar.hours_per_month

    def node_charges(self, volume_class: str, gigabytes: int) -> Sequence[Charge]:
        """Returns what the GPU nodes cost, and their root volumes; none for an empty class.

        Nodes are charged for all models at once where the models share them, else for each.
        """
        charges = list(self._nodes())
        if volume_class:
            volumes = Charge(
                kind="root-volumes",
                identifier=f"volume/{self.assumptions.cloud}/{volume_class}",
                quantity=_mean_machines(self.week, self.assumptions) * gigabytes,
                unit="GB-month",
                variant=volume_class,
                attached=ROOT_VOLUME,
            )
            charges.append(volumes)
        return charges

    def model_of(self, instance: str) -> str:
        """Returns the model whose object it is; empty for what all share, or the only model."""
        if not self.assumptions.others:
            return ""
        models = self.assumptions.models
        return next((model.model_name for model in models if model.instance == instance), "")

    def gigabytes_through(self, instance: str) -> Decimal:
        """Returns the traffic of a month through a load balancer, in GB of 10^9 bytes."""
        model = self.model_of(instance)
        behind = [one for one in self.assumptions.models if model in ("", one.model_name)]
        calendar = self.assumptions.calendar
        tokens = sum((one.load.tokens_per_month(calendar) for one in behind), Decimal(0))
        return tokens * BYTES_PER_TOKEN / 10**9

    def _nodes(self) -> Iterator[Charge]:
        assumptions = self.assumptions
        if not self.by_model or assumptions.fleet.fixed_nodes is not None:
            yield from _gpu_nodes(self.week, assumptions, "")
            return
        for model, week in zip(assumptions.models, self.by_model, strict=True):
            yield from _gpu_nodes(week, model, model.model_name)


def _gpu_nodes(week: FleetWeek, assumptions: Assumptions, model: str) -> Iterator[Charge]:
    mean = _mean_machines(week, assumptions)
    busy = to_decimal(week.busy_share)
    node = assumptions.node
    if isinstance(node, RentedNode):
        quantity, unit = mean * assumptions.calendar.hours_per_month, "node-hour"
        price = node.price
    else:
        quantity, unit = mean, "node-month"
        price = stated_price(
            "pricing.owned.purchasePrice", node.amortization(), assumptions.book.today
        )
    owned = node if isinstance(node, OwnedNode) else None
    shares: tuple[tuple[LineItemKind, Decimal], ...] = (
        ("busy-nodes", busy),
        ("idle-nodes", 1 - busy),
    )
    for kind, share in shares:
        yield Charge(
            kind=kind,
            quantity=quantity * share,
            price=price,
            unit=unit,
            share=share,
            model=model,
            node=owned,
        )
    if owned is not None:
        yield from _running_costs(owned, mean, assumptions, model)


def _running_costs(
    node: OwnedNode, mean: Decimal, assumptions: Assumptions, model: str
) -> Iterator[Charge]:
    today = assumptions.book.today
    yield Charge(
        kind="electricity",
        quantity=mean * node.kilowatt_hours(assumptions.calendar),
        price=stated_price(
            "pricing.owned.electricityPricePerKwh", node.electricity_price_per_kwh, today
        ),
        unit="kWh",
        model=model,
        node=node,
    )
    if node.rack_and_support_per_month:
        yield Charge(
            kind="rack",
            quantity=mean,
            price=stated_price(
                "pricing.owned.rackAndSupportPerNodeMonth", node.rack_and_support_per_month, today
            ),
            unit="node-month",
            model=model,
            node=node,
        )


def _mean_machines(week: FleetWeek, assumptions: Assumptions) -> Decimal:
    return to_decimal(week.mean_nodes) * assumptions.fleet.machines_per_node
