"""One line of the price book: from text to a price or a machine type, and back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import PRIVATE, Price
from breakeven.catalog.price_entries import NodeEntry, PriceEntry, fault

PRICE_COLUMNS = tuple(PriceEntry.model_fields)
MACHINE_COLUMNS = tuple(NodeEntry.model_fields)

_OWN = "own"
"""Terms of a price from a list of the user's own."""


class PriceFileError(ValueError):
    """A price book that cannot be used; the message names file, line and entry.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(f"{path.name}{message}")


def prices_text(prices: Iterable[Price]) -> str:
    """Returns the file with these prices, sorted by identifier."""
    rows = (
        (
            price.identifier,
            f"{price.usd:f}",
            price.unit,
            price.as_of.isoformat(),
            price.source,
            PRIVATE if price.private else price.terms or _OWN,
        )
        for price in sorted(prices, key=lambda price: price.identifier)
    )
    return _text(PRICE_COLUMNS, rows)


def machines_text(shapes: Iterable[NodeShape]) -> str:
    """Returns the file with these machine types, sorted by cloud and name."""
    rows = (
        (
            shape.cloud,
            shape.instance_type,
            shape.gpu or "",
            shape.gpus,
            "" if shape.vcpus is None else shape.vcpus,
            "" if shape.memory_gib is None else f"{shape.memory_gib:g}",
        )
        for shape in sorted(shapes, key=lambda shape: (shape.cloud, shape.instance_type))
    )
    return _text(MACHINE_COLUMNS, rows)


def lines_of(path: Path, columns: Sequence[str]) -> list[str]:
    """Returns the lines of a file below its head.

    Raises:
        PriceFileError: It is not UTF-8, or its head names other columns.
    """
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except UnicodeDecodeError as error:
        raise PriceFileError(path, f": not UTF-8, {error.reason}") from None
    if head != ",".join(columns):
        msg = f', line 1: found "{head[:80]}"; allowed: {",".join(columns)}'
        raise PriceFileError(path, msg)
    return lines


def price_of(path: Path, line: str, number: Callable[[], int]) -> Price:
    """Returns the price of a line.

    Args:
        path: Its file, for a message.
        line: The line.
        number: Counts the line; only a message needs it.

    Raises:
        PriceFileError: The line is damaged.
    """
    value = _checked(path, line, PRICE_COLUMNS, PriceEntry, number)
    try:
        as_of = date.fromisoformat(value["as_of"])
    except ValueError as error:
        where = f', line {number()}, "{value["identifier"]}"'
        raise PriceFileError(path, f"{where}: as_of: {error}") from None
    private = value["terms"] == PRIVATE
    return Price(
        identifier=value["identifier"],
        usd=Decimal(value["usd"]),
        unit=value["unit"],
        source=value["source"],
        as_of=as_of,
        confidence="user" if private else "list",
        private=private,
        terms=value["terms"],
    )


def shape_of(path: Path, line: str, number: int) -> NodeShape:
    """Returns the machine type of a line.

    Raises:
        PriceFileError: The line is damaged.
    """
    value = _checked(path, line, MACHINE_COLUMNS, NodeEntry, lambda: number)
    entry = NodeEntry.model_validate(value)
    if (entry.gpu is None) != (entry.gpus == 0):
        msg = f', line {number}, "{entry.instance_type}": gpu is empty where gpus is 0, and a name'
        raise PriceFileError(path, f"{msg} elsewhere")
    return NodeShape(
        cloud=entry.cloud,
        instance_type=entry.instance_type,
        gpu=entry.gpu,
        gpus=entry.gpus,
        vcpus=entry.vcpus,
        memory_gib=entry.memory_gib,
    )


def _checked(
    path: Path,
    line: str,
    columns: Sequence[str],
    kind: type[BaseModel],
    number: Callable[[], int],
) -> dict[str, str]:
    values = next(csv.reader([line]), [])
    label = line.partition(",")[0][:80]
    if len(values) != len(columns):
        found = f"{len(values)} fields; needed: {','.join(columns)}"
        raise PriceFileError(path, f', line {number()}, "{label}": {found}')
    entry = dict(zip(columns, values, strict=True))
    found = fault(entry, kind) or ""
    if found:
        label = entry.get("instance_type", label)
        raise PriceFileError(path, f', line {number()}, "{label}": {found}')
    return entry


def _text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()
