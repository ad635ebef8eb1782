"""How a stack's resources are used: what its fleet does with the load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import BYTES_PER_TOKEN, Activity, activities_of
from breakeven.cost.bill.charge import ROOT_VOLUME, Charge, Driver, LineItemKind, driven
from breakeven.cost.bill.line_item import stated_price
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.money import to_decimal


@dataclass(frozen=True, kw_only=True)
class StackUsage:
    """The use of a stack's resources.

    Attributes:
        week: What the fleet does with the load.
        assumptions: Of the stack.
        by_model: What the fleet does for each model, where a stack has several; otherwise empty.
        has_pool: Whether the stack registers a GPU pool.
    """

    week: FleetWeek
    assumptions: Assumptions
    by_model: Sequence[FleetWeek]
    has_pool: bool

    @cached_property
    def activities(self) -> Mapping[str, Activity]:
        """What the load makes the fleet do: of all models by an empty name, and of each."""
        return activities_of(self.assumptions, self.week, self.by_model)

    @property
    def hours_per_month(self) -> Decimal:
        """Hours that a resource is paid for."""
        return self.assumptions.calendar.hours_per_month

    @property
    def text_gigabytes(self) -> Decimal:
        """GB of text a month, of 10^9 bytes, that each token of a day makes."""
        return self.assumptions.calendar.days_per_month * BYTES_PER_TOKEN / 10**9

    def amount_of(self, driver: Driver, model: str) -> Decimal:
        """Returns how much of a driver a model has; empty for all models."""
        return self.activities[model].amount_of(driver)

    def node_charges(self, volume_class: str, gigabytes: int) -> Sequence[Charge]:
        """Returns what the GPU nodes cost, and their root volumes; none for an empty class.

        Nodes are charged for all models at once where the models share them, else for each.
        """
        charges = list(self._nodes())
        if volume_class:
            volumes = Charge(
                kind="root-volumes",
                identifier=f"volume/{self.assumptions.cloud}/{volume_class}",
                quantity=Decimal(gigabytes * self.assumptions.fleet.machines_per_node),
                unit="GB-month",
                variant=volume_class,
                attached=ROOT_VOLUME,
                on_cpus=self.assumptions.engine.gpu.is_cpu,
            )
            charges.append(driven(volumes, Driver.NODES, self.amount_of(Driver.NODES, "")))
        return charges

    def model_of(self, instance: str) -> str:
        """Returns the model whose object it is; empty for what all share, or the only model."""
        if not self.assumptions.others:
            return ""
        models = self.assumptions.models
        return next((model.model_name for model in models if model.instance == instance), "")

    def _nodes(self) -> Iterator[Charge]:
        fixed = self.assumptions.fleet.fixed_nodes is not None
        for model, activity in self.activities.items():
            # The nodes of a fixed pool are shared; else each model of several has its own.
            if bool(model) != (len(self.activities) > 1 and not fixed):
                continue
            for charge in _of_one_node(activity):
                yield driven(charge, Driver.NODES, activity.amount_of(Driver.NODES), model)
            yield from _commitment(activity, model)
            for charge in _of_work(activity):
                yield driven(charge, Driver.WORK, activity.amount_of(Driver.WORK), model)


def _of_one_node(activity: Activity) -> Iterator[Charge]:
    """Yields what one node costs, all machines of a replica that spans several."""
    assumptions = activity.assumptions
    machines, node = Decimal(assumptions.fleet.machines_per_node), assumptions.node
    if isinstance(node, RentedNode):
        quantity, unit = machines * assumptions.calendar.hours_per_month, "node-hour"
        price = node.price
    else:
        quantity, unit = machines, "node-month"
        price = stated_price(
            "pricing.owned.purchasePrice", node.amortization(), assumptions.book.today
        )
    owned = node if isinstance(node, OwnedNode) else None
    busy = to_decimal(activity.week.busy_share)
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
            node=owned,
            on_cpus=assumptions.engine.gpu.is_cpu,
        )
    if owned is not None:
        yield from _running_costs(owned, machines, assumptions)


def _commitment(activity: Activity, model: str) -> Iterator[Charge]:
    """Yields what a commitment takes off the nodes that run at all hours."""
    assumptions = activity.assumptions
    node, fleet = assumptions.node, assumptions.fleet
    if not isinstance(node, RentedNode) or not node.commits_base or not fleet.lowest_nodes:
        return
    nodes = fleet.lowest_nodes * fleet.machines_per_node
    share = Decimal(node.commitment_percent) / 100
    yield Charge(
        kind="commitment",
        quantity=-nodes * assumptions.calendar.hours_per_month * share,
        price=node.price,
        unit="node-hour",
        share=share,
        count=nodes,
        model=model,
    )


def _running_costs(
    node: OwnedNode, machines: Decimal, assumptions: Assumptions
) -> Iterator[Charge]:
    """Yields what an owned node costs in addition to its amortization, whether it works or not."""
    today = assumptions.book.today
    resting = node.kilowatt_hours(node.resting_watts, assumptions.calendar)
    yield _electricity(node, machines * resting, assumptions)
    monthly: tuple[tuple[LineItemKind, str, Decimal], ...] = (
        ("rack", "rackAndSupportPerNodeMonth", node.rack_and_support_per_month),
        ("capital", "costOfCapitalPercent", node.capital()),
        ("insurance", "insurancePercent", node.insurance()),
        ("spares", "sparesPercent", node.spares()),
    )
    for kind, setting, usd in monthly:
        if usd:
            yield Charge(
                kind=kind,
                quantity=machines,
                price=stated_price(f"pricing.owned.{setting}", usd, today),
                unit="node-month",
                node=node,
            )


def _of_work(activity: Activity) -> Iterator[Charge]:
    """Yields what one busy GPU of an owned node draws beyond a resting one."""
    node = activity.assumptions.node
    if isinstance(node, OwnedNode) and node.power_watts > node.resting_watts:
        more = (node.power_watts - node.resting_watts) / node.gpus
        quantity = node.kilowatt_hours(more, activity.assumptions.calendar)
        yield replace(
            _electricity(node, quantity, activity.assumptions), kind="electricity-of-work"
        )


def _electricity(node: OwnedNode, quantity: Decimal, assumptions: Assumptions) -> Charge:
    price = stated_price(
        "pricing.owned.electricityPricePerKwh",
        node.electricity_price_per_kwh,
        assumptions.book.today,
    )
    return Charge(kind="electricity", quantity=quantity, price=price, unit="kWh", node=node)
