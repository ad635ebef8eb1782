"""What a GPU node costs: rented by the hour, or owned and written off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.catalog.price import Price
from breakeven.cost.calendar import Calendar


@dataclass(frozen=True, slots=True)
class RentedNode:
    """A node that is paid by the hour, whether busy or not.

    Attributes:
        price: USD for a node-hour.
        gpus: GPUs of a node.
        machine: Machine type; empty if the stack states the price of its nodes.
        purchase: "on-demand", "spot" or "reserved"; empty like the machine type.
        commitment_percent: Commitment discount; 0 for none. The price includes it, unless it is for
            the base alone.
        commitment_years: Its term; 0 for none.
        commits_base: Whether only nodes that run at all hours are committed to; those above them
            are paid by the hour.
    """

    price: Price
    gpus: int = 1
    machine: str = ""
    purchase: str = ""
    commitment_percent: int = 0
    commitment_years: int = 0
    commits_base: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNode:
    """A node that was bought.

    Attributes:
        purchase_price: USD, installed.
        amortization_years: Years over which it is written off (straight line), 1 or more.
        residual_share: Value left at the end over the purchase price, 0 to 1.
        power_watts: Draw at full load at the wall, in W.
        power_usage_effectiveness: PUE; cooling and losses belong here, 1 or more.
        electricity_price_per_kwh: USD.
        rack_and_support_per_month: USD for space, network port and vendor support.
        gpus: GPUs of a node.
        idle_watts: Draw without work; None to count the full draw at all hours.
        capital_share: Interest a year on the capital that is tied up, 0 to 1.
        insurance_share: Insurance and property tax a year over the purchase price, 0 to 1.
        spares_share: Spare parts and repairs a year over the purchase price, 0 to 1.
        shared_price: USD for hardware that all nodes share: head nodes, storage, switches.
        shared_watts: Draw of that hardware at all hours, in W.
        months_left: Months until it is written off, 0 or more; None for a node to be bought.
        book_value: USD that it is worth today; None for what straight line leaves of it.
    """

    purchase_price: Decimal
    amortization_years: int
    residual_share: Decimal
    power_watts: int
    power_usage_effectiveness: Decimal
    electricity_price_per_kwh: Decimal
    rack_and_support_per_month: Decimal
    gpus: int
    idle_watts: Decimal | None = None
    capital_share: Decimal = Decimal(0)
    insurance_share: Decimal = Decimal(0)
    spares_share: Decimal = Decimal(0)
    shared_price: Decimal = Decimal(0)
    shared_watts: int = 0
    months_left: int | None = None
    book_value: Decimal | None = None

    def amortization(self) -> Decimal:
        """Returns USD per month: (purchase price - residual value) / months.

        Of a node that is already there the rest of its book value; nothing once that is written
        off.
        """
        if self.months_left is None:
            return self.written_off(self.purchase_price)
        if not self.months_left:
            return Decimal(0)
        if self.book_value is None:
            return self.written_off(self.purchase_price)
        rest = self.book_value - self.purchase_price * self.residual_share
        return max(rest, Decimal(0)) / self.months_left

    def written_off(self, price: Decimal) -> Decimal:
        """Returns USD per month for hardware that is bought now: (price - residual) / months."""
        return price * (1 - self.residual_share) / (self.amortization_years * 12)

    def capital(self) -> Decimal:
        """Returns USD per month for the capital of a node: interest on what it is worth on average.

        That is halfway between its value today and at the end: (value + residual value) / 2.
        """
        return self._interest(self._value, self.purchase_price * self.residual_share)

    def insurance(self) -> Decimal:
        """Returns USD per month for insurance and property tax of a node."""
        return self.purchase_price * self.insurance_share / 12

    def spares(self) -> Decimal:
        """Returns USD per month for spare parts and repairs of a node."""
        return self.purchase_price * self.spares_share / 12

    def shared(self) -> Decimal:
        """Returns USD per month for shared hardware: written off, financed, insured, repaired."""
        price = self.shared_price
        yearly = price * (self.insurance_share + self.spares_share)
        interest = self._interest(price, price * self.residual_share)
        return self.written_off(price) + interest + yearly / 12

    def kilowatt_hours(self, watts: Decimal, calendar: Calendar) -> Decimal:
        """Returns what a continuous draw takes in a month: W / 1,000 x hours x PUE."""
        return watts / 1000 * calendar.hours_per_month * self.power_usage_effectiveness

    @property
    def resting_watts(self) -> Decimal:
        """Draw at all hours, in W; the rest of the full draw comes with work."""
        return Decimal(self.power_watts) if self.idle_watts is None else self.idle_watts

    @property
    def _value(self) -> Decimal:
        if self.months_left is None:
            return self.purchase_price
        rest = self.purchase_price * self.residual_share
        if self.book_value is not None:
            return self.book_value
        return rest + self.written_off(self.purchase_price) * self.months_left

    def _interest(self, value: Decimal, residual: Decimal) -> Decimal:
        return (value + residual) / 2 * self.capital_share / 12


def months_until(end: date, today: date) -> int:
    """Returns whole months until a day, a month begun counted; 0 for a day that has come."""
    months = (end.year - today.year) * 12 + end.month - today.month
    return max(months + (end.day > today.day), 0)


NodeCost = RentedNode | OwnedNode
