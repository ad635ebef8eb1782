"""Where prices come from, and what the stack is charged for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from breakeven.catalog.clouds import CLOUDS, CONTROL_PLANES, find_cloud
from breakeven.catalog.price import split_private
from breakeven.settings.costs.currency import CurrencySettings
from breakeven.settings.costs.owned_nodes import OwnedNodeSettings
from breakeven.settings.fields import (
    Conflict,
    Entries,
    Form,
    Group,
    Integer,
    Number,
    OptionalMachineType,
    OptionalNumber,
    Text,
    one_of,
)

_HIGHEST_PRICE = Decimal("1e9")


class StatedPrice(NamedTuple):
    """A price of your own, and whether reports leave it out."""

    usd: Decimal
    is_private: bool


def _stated_price(text: str) -> StatedPrice:
    amount, is_private = split_private(text)
    try:
        usd = Decimal(amount)
    except InvalidOperation:
        raise ValueError(text) from None
    if not (usd.is_finite() and 0 <= usd <= _HIGHEST_PRICE):
        raise ValueError(text)
    return StatedPrice(usd, is_private)


_Price = Annotated[StatedPrice, Form(_stated_price, allowed=f"a number, 0 to {_HIGHEST_PRICE:,f}")]


class PricingSettings(Group):
    """Where prices come from, and what the stack is charged for."""

    nodes: Literal["list", "stated", "owned"] = Field(
        default="list",
        description="What a GPU node costs: list (price book), stated "
        "(pricing.nodePricePerHour) or owned (pricing.owned.purchasePrice and the"
        " keys below)",
    )
    cloud: Annotated[str, one_of(lambda: CLOUDS)] = Field(
        default="aws",
        description="Cloud of the price book: "
        f"{', '.join(name for name in CLOUDS if name != 'none')}, or none (own data center)",
    )
    region: Text = Field(
        default="us-east-1",
        description="Region of that cloud; any for a cloud with one price for all regions",
    )
    commitment_percent: Integer = Field(
        default=0,
        ge=0,
        le=90,
        description="pricing.nodes list: commitment discount (%) on the on-demand price; 0 for "
        "none. With replicas.autoscaling it applies only to always-on nodes; nodes above them are "
        "on-demand",
    )
    commitment_years: Integer = Field(
        default=1, ge=1, le=5, description="Years of that commitment, 1 to 5"
    )
    node_price_per_hour: OptionalNumber = Field(
        default=None,
        ge=0,
        le=10_000,
        description="pricing.nodes stated: USD per hour for one node",
    )
    owned: OwnedNodeSettings = Field(
        default=OwnedNodeSettings(),
        description="What one owned node costs, with pricing.nodes owned",
    )
    control_plane: Annotated[str, one_of(lambda: CONTROL_PLANES)] = Field(
        default="none",
        description="Kubernetes control plane that this stack pays for: eks, gke, aks, or none "
        "(shared or self-managed)",
    )
    control_plane_share_percent: Integer = Field(
        default=100,
        ge=0,
        le=100,
        description="Share of it that this stack pays, in percent",
    )
    system_instance_type: OptionalMachineType = Field(
        default="",
        description="Machine type of the CPU nodes that run KEDA, Prometheus, and similar; empty "
        "if others pay for them",
    )
    system_node_count: Integer = Field(
        default=0,
        ge=0,
        le=100,
        description="Number of those nodes that this stack pays for",
    )
    nat_gateway_share_percent: Integer = Field(
        default=0,
        ge=0,
        le=100,
        description="Share (%) of a NAT gateway that this stack pays; started nodes pull images "
        "through it. 0 if others pay or pulls stay inside",
    )
    log_gigabytes_per_month: Number = Field(
        default=Decimal(0),
        ge=0,
        le=Decimal("1e6"),
        description="GB of logs per month that this stack sends to the cloud's log service; 0 "
        "leaves them out of the bill",
    )
    one_off_cost: Number = Field(
        default=Decimal(0),
        ge=0,
        le=Decimal("1e9"),
        description="USD paid once for self-hosting: migration, tuning, evaluation; the report "
        "shows after how many months savings pay it back",
    )
    horizon_years: Integer = Field(
        default=0,
        ge=0,
        le=10,
        description="Years over which self-hosting and the APIs are compared; 0 for one month only",
    )
    api_price_change_percent: Number = Field(
        default=Decimal(0),
        ge=-90,
        le=100,
        description="Your assumption of how API prices change per year, in percent; negative if "
        "they fall",
    )
    residual_value: Number = Field(
        default=Decimal(0),
        ge=0,
        le=Decimal("1e9"),
        description="Residual value in USD at the end of pricing.horizonYears, such as from "
        "selling hardware",
    )
    currency: CurrencySettings = Field(
        default=CurrencySettings(),
        description="Currency that reports show, with a dated exchange rate; costs are computed "
        "in USD",
    )
    overrides: Annotated[Mapping[str, _Price], Entries] = Field(
        default={},
        description="Your own prices by price book identifier, USD in the book's unit; they take "
        'precedence over the book. "1.25 private" keeps the amount out of reports',
    )
    budget_per_month: OptionalNumber = Field(
        default=None,
        ge=Decimal("0.01"),
        le=Decimal("1e9"),
        description="Budget for self-hosting in USD/month, 0.01 or more; empty for none. The "
        "policy pack policies/cost_budget enforces it",
    )
    max_age_days: Integer = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Maximum age in days of a node price from the book; older prices are rejected",
    )
    month: Literal["calendar", "30d"] = Field(
        default="calendar",
        description="calendar (730 hours, 365/12 days) or 30d (720 hours)",
    )

    @property
    def stated_prices(self) -> Mapping[str, Decimal]:
        """Prices of your own, by identifier."""
        return {name: price.usd for name, price in self.overrides.items()}

    @property
    def private_overrides(self) -> frozenset[str]:
        """Identifiers of prices that reports leave out."""
        return frozenset(name for name, price in self.overrides.items() if price.is_private)

    def conflicts(self) -> Iterator[Conflict]:
        """Yields prices that are missing, and control planes of another cloud."""
        if self.nodes == "stated" and self.node_price_per_hour is None:
            yield Conflict(
                "pricing.nodePricePerHour",
                "no price",
                "Needed with pricing.nodes stated: USD per hour for a node",
                ("pricing.nodes",),
            )
        owned = self.owned
        for key, is_missing in (
            ("purchasePrice", owned.purchase_price is None),
            ("electricityPricePerKwh", owned.electricity_price_per_kwh is None),
            ("powerWatts", owned.power_watts == 0),
        ):
            if self.nodes == "owned" and is_missing:
                yield Conflict(
                    f"pricing.owned.{key}",
                    "not stated",
                    "Needed with pricing.nodes owned",
                    ("pricing.nodes",),
                )
        if owned.idle_power_watts is not None and owned.idle_power_watts > owned.power_watts:
            yield Conflict(
                "pricing.owned.idlePowerWatts",
                f"{owned.idle_power_watts:,f} W, more than pricing.owned.powerWatts",
                f"Allowed: 0 to {owned.power_watts:,}, the draw at full load",
                ("pricing.owned.powerWatts",),
            )
        if owned.book_value is not None and owned.purchase_date is None:
            yield Conflict(
                "pricing.owned.bookValue",
                "without pricing.owned.purchaseDate",
                "State the purchase date, which determines the remaining depreciation period",
                ("pricing.owned.purchaseDate",),
            )
        yield from self.currency.stated()
        own = find_cloud(self.cloud).control_plane
        if own and self.control_plane not in {own, "none"}:
            yield Conflict(
                "pricing.controlPlane",
                f"{self.control_plane} with pricing.cloud {self.cloud}",
                f"Allowed: {own}, or none if others pay",
                ("pricing.cloud",),
            )
