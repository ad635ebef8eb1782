"""What a GPU node costs: rented by the hour, or owned and written off."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.price import Price
from breakeven.cost.calendar import Calendar


@dataclass(frozen=True, slots=True)
class RentedNode:
    """A node that is paid by the hour, whether busy or not.

    Attributes:
        price: USD for a node-hour.
        gpus: GPUs of a node.
        machine: Machine type; empty where the stack states the price of its nodes.
        purchase: "on-demand", "spot" or "reserved"; empty like the machine type.
        commitment_percent: Commitment discount that the price includes; 0 for none.
        commitment_years: Its term; 0 for none.
    """

    price: Price
    gpus: int = 1
    machine: str = ""
    purchase: str = ""
    commitment_percent: int = 0
    commitment_years: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNode:
    """A node that was bought.

    Attributes:
        purchase_price: USD, installed.
        amortization_years: Years over which it is written off (straight line), 1 or more.
        residual_share: Value left at the end over the purchase price, 0 to 1.
        power_watts: Mean draw at the wall, in W.
        power_usage_effectiveness: PUE; cooling and losses belong here, 1 or more.
        electricity_price_per_kwh: USD.
        rack_and_support_per_month: USD for space, network port and vendor support.
        gpus: GPUs of a node.
    """

    purchase_price: Decimal
    amortization_years: int
    residual_share: Decimal
    power_watts: int
    power_usage_effectiveness: Decimal
    electricity_price_per_kwh: Decimal
    rack_and_support_per_month: Decimal
    gpus: int

    def amortization(self) -> Decimal:
        """Returns USD a month: (purchase price - residual value) / months."""
        written_off = self.purchase_price * (1 - self.residual_share)
        return written_off / (self.amortization_years * 12)

    def kilowatt_hours(self, calendar: Calendar) -> Decimal:
        """Returns what a continuous draw takes in a month: W / 1,000 x hours x PUE."""
        drawn = Decimal(self.power_watts) / 1000 * calendar.hours_per_month
        return drawn * self.power_usage_effectiveness


NodeCost = RentedNode | OwnedNode
