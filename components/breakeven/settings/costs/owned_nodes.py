"""What owned nodes cost."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from breakeven.settings.costs.days import Day
from breakeven.settings.fields import Group, Integer, Number, OptionalNumber


class OwnedNodeSettings(Group):
    """What one owned node costs. Prices in USD, power in watts at the wall."""

    purchase_price: OptionalNumber = Field(
        default=None,
        ge=1,
        le=Decimal("1e8"),
        description="pricing.nodes owned: USD for one node, installed",
    )
    amortization_years: Integer = Field(
        default=3,
        ge=1,
        le=15,
        description="pricing.nodes owned: depreciation period of a node in years",
    )
    residual_percent: Integer = Field(
        default=10,
        ge=0,
        le=90,
        description="pricing.nodes owned: residual value at the end, in percent of the purchase "
        "price",
    )
    power_watts: Integer = Field(
        default=0,
        ge=0,
        le=100_000,
        description="pricing.nodes owned: draw of one node at full load in W, measured at the wall",
    )
    idle_power_watts: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="pricing.nodes owned: its idle draw in W; the rest is paid for the simulated "
        "busy hours. Empty to pay for pricing.owned.powerWatts at all hours",
    )
    power_usage_effectiveness: Number = Field(
        default=Decimal("1.5"),
        ge=1,
        le=3,
        description="pricing.nodes owned: PUE, power of the whole site divided by power of the "
        "machines, 1.0 to 3.0",
    )
    electricity_price_per_kwh: OptionalNumber = Field(
        default=None,
        ge=0,
        le=5,
        description="pricing.nodes owned: USD per kWh",
    )
    rack_and_support_per_node_month: Number = Field(
        default=Decimal(0),
        ge=0,
        le=Decimal("1e6"),
        description="pricing.nodes owned: USD/month per node for space, network port, and vendor "
        "support",
    )
    cost_of_capital_percent: Number = Field(
        default=Decimal(0),
        ge=0,
        le=50,
        description="pricing.nodes owned: interest per year on the capital that the hardware "
        "ties up, in percent",
    )
    insurance_percent: Number = Field(
        default=Decimal(0),
        ge=0,
        le=20,
        description="pricing.nodes owned: insurance and property tax per year, in percent of the "
        "purchase price",
    )
    spares_percent: Number = Field(
        default=Decimal(0),
        ge=0,
        le=50,
        description="pricing.nodes owned: spare parts and repairs per year, in percent of the "
        "purchase price",
    )
    shared_purchase_price: Number = Field(
        default=Decimal(0),
        ge=0,
        le=Decimal("1e8"),
        description="pricing.nodes owned: USD for head nodes, storage servers and switches that "
        "this stack pays for; depreciated, financed, and insured like the nodes",
    )
    shared_power_watts: Integer = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="pricing.nodes owned: draw of that shared hardware in W, at all hours",
    )
    purchase_date: Day = Field(
        default=None,
        description="pricing.nodes owned: purchase date of existing nodes, YYYY-MM-DD; "
        "depreciation starts then. Empty for nodes to be bought",
    )
    book_value: OptionalNumber = Field(
        default=None,
        ge=0,
        le=Decimal("1e8"),
        description="pricing.nodes owned: book value of one node in USD; it is depreciated until "
        "the end of pricing.owned.amortizationYears. Needs pricing.owned.purchaseDate",
    )
