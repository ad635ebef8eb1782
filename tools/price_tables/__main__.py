"""Carry tables of prices into the price book that the package ships.

Run: make price-tables ARGS="NODES.csv INFRASTRUCTURE.csv"

Each row of a table has a source and a day. Of several rows for the same thing, and of a row and the
book, the newest is taken, so that running it twice changes nothing. A row that the book cannot hold
is counted under its reason.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_file import read_book
from breakeven.catalog.price_regions import MACHINES, SHIPPED, cloud_of
from breakeven.catalog.price_rows import machines_text, prices_text
from breakeven.cli.files import write_whole
from price_tables import infrastructure, machines
from price_tables.rows import Skipped, newest

_NODE_COLUMNS = frozenset({"cloud", "region", "instance_type", "purchase", "usd_per_hour", "as_of"})
_OTHER_COLUMNS = frozenset({"cloud", "region", "service", "item", "unit", "usd", "as_of"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry the tables over and say what came of their rows."""
    parser = argparse.ArgumentParser(prog="python -m price_tables", description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="A CSV file.")
    parser.add_argument(
        "--book", type=Path, default=SHIPPED, help="Folder of the price book (%(default)s)."
    )
    options = parser.parse_args(arguments)
    book = read_book(options.book)
    prices: list[Price] = [book.prices[identifier] for identifier in book.prices]
    shapes: dict[tuple[str, str], NodeShape] = dict(book.shapes)
    skipped: Counter[str] = Counter()
    for table in options.tables:
        try:
            rows = _rows(table)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            parser.error(f"{table}: {error}. Nothing was changed")
        for found in _read(rows, shapes):
            if isinstance(found, Skipped):
                skipped[found.reason] += 1
                continue
            price, shape = found
            prices.append(price)
            if shape is not None:
                shapes[shape.cloud, shape.instance_type] = shape
    _write(options.book, list(newest(prices)), shapes)
    for reason, count in skipped.most_common():
        print(f"{count:5} rows left out: {reason}")
    return 0


def _read(
    rows: Sequence[Mapping[str, str]], known: Mapping[tuple[str, str], NodeShape]
) -> list[tuple[Price, NodeShape | None] | Skipped]:
    if rows and "service" in rows[0]:
        return [
            found if isinstance(found, Skipped) else (found, None)
            for found in infrastructure.read(rows)
        ]
    return list(machines.read(rows, known))


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        names = set(reader.fieldnames or ())
        if not (names >= _NODE_COLUMNS or names >= _OTHER_COLUMNS):
            needed = (", ".join(sorted(columns)) for columns in (_NODE_COLUMNS, _OTHER_COLUMNS))
            msg = f"columns {', '.join(sorted(names))}. Needed: {'; or '.join(needed)}"
            raise ValueError(msg)
        return [_with_all_columns(row) for row in reader]


def _with_all_columns(row: Mapping[str, str]) -> dict[str, str]:
    """Returns a row with every column; without one for it, the license ends the source."""
    source, _, terms = row["source"].rpartition(", ")
    of_source = {} if "licence" in row else {"source": source, "licence": terms}
    return {"gpu": "", "gpus": "", "vcpus": "", "memory_gib": "", "note": "", **row, **of_source}


def _write(
    folder: Path, prices: Sequence[Price], shapes: Mapping[tuple[str, str], NodeShape]
) -> None:
    by_cloud: dict[str, list[Price]] = {}
    for price in prices:
        by_cloud.setdefault(cloud_of(price.identifier), []).append(price)
    for cloud, group in sorted(by_cloud.items()):
        write_whole(folder / f"{cloud}.csv", prices_text(group))
        days = sorted(price.as_of for price in group)
        print(f"{cloud}.csv: {len(group)} prices of {days[0]} to {days[-1]}")
    sold = {tuple(price.identifier.split("/")[1:4:2]) for price in prices}
    kept = [shape for key, shape in shapes.items() if key in sold]
    write_whole(folder / MACHINES, machines_text(kept))
    print(f"{MACHINES}: {len(kept)} machine types")


if __name__ == "__main__":
    sys.exit(main())
