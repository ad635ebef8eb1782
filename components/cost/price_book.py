"""List prices of machines, volumes, load balancers and the like; dated, sourced, overridable.

`data/prices.json` is built by tools/build_price_book.py. What it lacks has no price: nothing is
taken from another region, machine or cloud.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from types import MappingProxyType

from components.cost.near import near_names, suggestion
from components.cost.price import Price, PriceMissingError

_UNITS = {
    "node": "node-hour",
    "volume": "GB-month",
    "control-plane": "month",
    "load-balancer": "month",
    "nat": "month",
    "egress": "GB",
}
"""Unit by the first part of an identifier, unless its last part says otherwise."""

_UNITS_BY_ENDING = {"/gb": "GB", "-lcu": "unit-month", "-iops": "unit-month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShape:
    """What a machine type has.

    Attributes:
        cloud: "aws", "azure" or "gcp".
        instance_type: The cloud's name for it.
        gpu: Name in `gpus.json`; None without GPU.
        gpus: How many of them.
        vcpus: Virtual CPUs.
        memory_gib: Memory, in GiB.
    """

    cloud: str
    instance_type: str
    gpu: str | None
    gpus: int
    vcpus: int
    memory_gib: float


class UnknownInstanceTypeError(LookupError):
    """No shape is known for a machine type.

    Attributes:
        instance_type: As "cloud/type".
        near: Types that resemble it.
    """

    def __init__(self, instance_type: str, near: tuple[str, ...]) -> None:
        self.instance_type = instance_type
        self.near = near
        super().__init__(f'no machine type "{instance_type}"{suggestion(near)}')


class PriceBook:
    """All unit prices, as of a day."""

    def __init__(
        self,
        prices: Mapping[str, Price],
        shapes: Mapping[tuple[str, str], NodeShape],
        *,
        today: date,
    ) -> None:
        self._prices = prices
        self._shapes = shapes
        self._today = today

    @classmethod
    def load(cls, overrides: Mapping[str, Decimal] | None = None, *, today: date) -> PriceBook:
        """Returns the committed price book with the user's own prices over it.

        Args:
            overrides: USD by identifier. They win, and may add what the book lacks.
            today: Day from which ages are counted.

        Raises:
            ValueError: An override is negative, or its identifier starts with nothing that has a
                unit.
        """
        listed, shapes = _committed()
        prices = dict(listed)
        for identifier, usd in (overrides or {}).items():
            prices[identifier] = Price(
                identifier=identifier,
                usd=usd,
                unit=_unit(identifier, listed),
                source="priceOverrides",
                as_of=today,
                confidence="user",
            )
        return cls(prices, shapes, today=today)

    @property
    def today(self) -> date:
        """Day from which ages are counted."""
        return self._today

    def find(self, identifier: str) -> Price:
        """Returns a price by its identifier.

        Raises:
            PriceMissingError: The book has none.
        """
        try:
            return self._prices[identifier]
        except KeyError:
            raise PriceMissingError(identifier, near_names(identifier, self._prices)) from None

    def node(self, cloud: str, region: str, instance_type: str, capacity_type: str) -> Price:
        """Returns USD for a node-hour; `capacity_type` is "on-demand" or "spot".

        Raises:
            PriceMissingError: The book has none for that machine there.
        """
        return self.find(f"node/{cloud}/{region}/{instance_type}/{capacity_type}")

    def shape(self, cloud: str, instance_type: str) -> NodeShape:
        """Returns what a machine type has.

        Raises:
            UnknownInstanceTypeError: It is not known.
        """
        try:
            return self._shapes[cloud, instance_type]
        except KeyError:
            wanted = f"{cloud}/{instance_type}"
            near = near_names(wanted, ("/".join(key) for key in self._shapes))
            raise UnknownInstanceTypeError(wanted, near) from None

    def age_days(self, price: Price) -> int:
        """Returns the days since the price was true; 0 for one from the future."""
        return max(0, (self._today - price.as_of).days)

    def is_stale(self, price: Price, max_age_days: int) -> bool:
        """Tells whether the price is older than `max_age_days`, 0 or more."""
        return self.age_days(price) > max_age_days


@cache
def _committed() -> tuple[Mapping[str, Price], Mapping[tuple[str, str], NodeShape]]:
    text = (resources.files(__package__) / "data" / "prices.json").read_text(encoding="utf-8")
    data = json.loads(text)
    prices = {
        entry["identifier"]: Price(
            identifier=entry["identifier"],
            usd=Decimal(entry["usd"]),
            unit=entry["unit"],
            source=entry["source"],
            as_of=date.fromisoformat(entry["as_of"]),
            confidence="list",
        )
        for entry in data["prices"]
    }
    shapes = {
        (entry["cloud"], entry["instance_type"]): NodeShape(**entry) for entry in data["nodes"]
    }
    return MappingProxyType(prices), MappingProxyType(shapes)


def _unit(identifier: str, listed: Mapping[str, Price]) -> str:
    if identifier in listed:
        return listed[identifier].unit
    for ending, unit in _UNITS_BY_ENDING.items():
        if identifier.endswith(ending):
            return unit
    kind = identifier.partition("/")[0]
    if kind not in _UNITS:
        msg = f'price "{identifier}"; allowed: {", ".join(f"{known}/..." for known in _UNITS)}'
        raise ValueError(msg)
    return _UNITS[kind]
