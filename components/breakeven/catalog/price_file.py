"""The price book as a file: read and checked entry by entry, written one entry a line.

Its format is `data/prices.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_entries import NodeEntry, PriceBookDocument, PriceEntry, fault, shown
from breakeven.json_stream import Entry, JsonStreamError, entries

BOOK_PATH = Path(__file__).parent / "data" / "prices.json"
"""The price book that every estimate reads."""

SCHEMA_PATH = BOOK_PATH.with_name("prices.schema.json")


@dataclass(frozen=True, slots=True)
class BookFile:
    """What a price book holds.

    Attributes:
        prices: Prices by identifier, in the file's order.
        shapes: Machine types by cloud and type.
    """

    prices: Mapping[str, Price]
    shapes: Mapping[tuple[str, str], NodeShape]

    @property
    def regions(self) -> frozenset[tuple[str, str]]:
        """Cloud and region of every price of a machine."""
        parts = (identifier.split("/") for identifier in self.prices)
        return frozenset((part[1], part[2]) for part in parts if part[0] == "node")


class PriceFileError(ValueError):
    """A price book that can't be used; the message names file, line and entry."""


def read_book(path: Path = BOOK_PATH) -> BookFile:
    """Reads a price book and checks all of it.

    Raises:
        PriceFileError: It is no JSON, or something in it is not as the schema says.
        OSError: The file can't be read.
    """
    prices: dict[str, Price] = {}
    shapes: dict[tuple[str, str], NodeShape] = {}
    has_version = False
    try:
        with path.open(encoding="utf-8") as stream:
            for entry in entries(stream, {(), ("prices",), ("nodes",)}):
                if entry.path == ("prices", "*"):
                    price = _price(entry, path)
                    _once(price.identifier, prices, entry, path)
                    prices[price.identifier] = price
                elif entry.path == ("nodes", "*"):
                    shape = _shape(entry, path)
                    key = (shape.cloud, shape.instance_type)
                    _once(key, shapes, entry, path)
                    shapes[key] = shape
                else:
                    _check_rest(entry, path)
                    has_version = True
    except JsonStreamError as error:
        msg = f"{path.name}, {error}"
        raise PriceFileError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{path.name}: not UTF-8, {error.reason}"
        raise PriceFileError(msg) from None
    for name, found in (("version", has_version), ("prices", prices), ("nodes", shapes)):
        if not found:
            needed = PriceBookDocument.model_fields[name].description
            msg = f"{path.name}: {name} is missing or empty; needed: {needed}"
            raise PriceFileError(msg)
    return BookFile(prices, shapes)


def book_text(book: BookFile) -> str:
    """Returns a price book as its file.

    Prices of machines are sorted; all others come first and keep their order.
    """
    others = [price for price in book.prices.values() if not _is_node(price)]
    machines = sorted(filter(_is_node, book.prices.values()), key=lambda price: price.identifier)
    prices = [_price_entry(price) for price in (*others, *machines)]
    nodes = [asdict(shape) for _, shape in sorted(book.shapes.items())]
    return (
        f'{{"version": 1, "prices": [\n{_one_a_line(prices)}\n],\n'
        f'"nodes": [\n{_one_a_line(nodes)}\n]}}\n'
    )


def _price(entry: Entry, path: Path) -> Price:
    value = _checked(entry, PriceEntry, path)
    try:
        as_of = date.fromisoformat(value["as_of"])
    except ValueError as error:
        raise _error(entry, path, f"as_of: {error}") from None
    private = value.get("private", False)
    return Price(
        identifier=value["identifier"],
        usd=Decimal(value["usd"]),
        unit=value["unit"],
        source=value["source"],
        as_of=as_of,
        confidence="user" if private else "list",
        private=private,
    )


def _shape(entry: Entry, path: Path) -> NodeShape:
    value = _checked(entry, NodeEntry, path)
    if (value["gpu"] is None) != (value["gpus"] == 0):
        raise _error(entry, path, "gpu is null where gpus is 0, and a name elsewhere")
    memory = value["memory_gib"]
    return NodeShape(
        cloud=value["cloud"],
        instance_type=value["instance_type"],
        gpu=value["gpu"],
        gpus=int(value["gpus"]),
        vcpus=None if value["vcpus"] is None else int(value["vcpus"]),
        memory_gib=float(memory) if isinstance(memory, Decimal) else memory,
    )


def _checked(entry: Entry, kind: type[BaseModel], path: Path) -> dict[str, Any]:
    found = fault(entry.value, kind)
    if found or not isinstance(entry.value, dict):
        raise _error(entry, path, found or "no object")
    return entry.value


def _check_rest(entry: Entry, path: Path) -> None:
    """Checks what is neither a price nor a machine type: the version, or a field too many."""
    fields = PriceBookDocument.model_fields
    name = ".".join(entry.path)
    if name != "version":
        allowed = "; ".join(f"{known}: {field.description}" for known, field in fields.items())
        raise _error(entry, path, f'unknown field "{name}"; allowed: {allowed}')
    # In JSON true is no number, but in Python it equals 1.
    if type(entry.value) is not int or entry.value != 1:
        allowed = str(fields[name].description)
        raise _error(entry, path, f"{name}: found {shown(entry.value)}; allowed: {allowed}")


def _once(key: object, known: Mapping[Any, object], entry: Entry, path: Path) -> None:
    if key in known:
        raise _error(entry, path, "it is there twice; allowed: once")


def _error(entry: Entry, path: Path, reason: str) -> PriceFileError:
    name = ""
    if isinstance(entry.value, dict):
        label = entry.value.get("identifier") or entry.value.get("instance_type")
        name = f', "{label}"' if isinstance(label, str) else ""
    return PriceFileError(f"{path.name}, line {entry.line}{name}: {reason}")


def _is_node(price: Price) -> bool:
    return price.identifier.startswith("node/")


def _price_entry(price: Price) -> dict[str, object]:
    entry: dict[str, object] = {
        "identifier": price.identifier,
        "usd": f"{price.usd:f}",
        "unit": price.unit,
        "source": price.source,
        "as_of": price.as_of.isoformat(),
    }
    return {**entry, "private": True} if price.private else entry


def _one_a_line(items: Iterable[Mapping[str, object]]) -> str:
    return ",\n".join(json.dumps(item) for item in items)
