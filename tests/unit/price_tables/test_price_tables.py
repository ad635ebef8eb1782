"""Tables of prices become the book: the newest row wins, and what is left out is counted."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.catalog.price_file import forget, read_book
from breakeven.catalog.price_regions import MACHINES
from breakeven.catalog.price_rows import machines_text, prices_text
from price_tables.__main__ import main

NODE = {
    "cloud": "aws",
    "region": "eu-central-1",
    "instance_type": "g6e.xlarge",
    "gpu": "L40S",
    "gpus": "1",
    "vcpus": "4",
    "memory_gib": "32",
    "purchase": "on_demand",
    "usd_per_hour": "2.33",
    "as_of": "2026-06-01",
    "source": "a list",
    "licence": "MIT",
    "note": "",
}
OTHER = {
    "cloud": "aws",
    "region": "us-east-1",
    "service": "EBS",
    "item": "gp3 storage",
    "unit": "GB-month",
    "usd": "0.08",
    "as_of": "2026-06-01",
    "source": "another list",
    "licence": "Apache-2.0",
    "note": "",
}
G6E = "node/aws/eu-central-1/g6e.xlarge/on-demand"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """An empty price book."""
    (tmp_path / MACHINES).write_text(machines_text(()), encoding="utf-8")
    (tmp_path / "aws.csv").write_text(prices_text(()), encoding="utf-8")
    forget()
    return tmp_path


def table(folder: Path, rows: Sequence[Mapping[str, str]], name: str = "table.csv.txt") -> str:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def carry(book: Path, *rows: Mapping[str, str]) -> Mapping[str, Decimal]:
    assert main([table(book, rows), "--book", str(book)]) == 0
    forget()
    prices = read_book(book).prices
    return {identifier: prices[identifier].usd for identifier in prices}


def test_a_row_becomes_a_price_and_a_machine_with_source_day_and_terms(book: Path) -> None:
    assert carry(book, NODE) == {G6E: Decimal("2.33")}
    found = read_book(book)
    price, shape = found.prices[G6E], found.shapes["aws", "g6e.xlarge"]
    assert (price.source, price.as_of.isoformat(), price.terms) == ("a list", "2026-06-01", "MIT")
    assert (shape.gpu, shape.gpus, shape.vcpus, shape.memory_gib) == ("l40s", 1, 4, 32)


def test_the_newest_row_wins_in_any_order_and_twice_changes_nothing(book: Path) -> None:
    newer = {**NODE, "usd_per_hour": "2.50", "as_of": "2026-11-01"}
    assert carry(book, newer, NODE) == {G6E: Decimal("2.50")}
    text = (book / "aws.csv").read_text(encoding="utf-8")
    assert carry(book, NODE, newer) == {G6E: Decimal("2.50")}
    assert (book / "aws.csv").read_text(encoding="utf-8") == text


def test_a_month_counts_as_its_first_day(book: Path) -> None:
    carry(book, {**NODE, "as_of": "2026-10"})
    assert read_book(book).prices[G6E].as_of.isoformat() == "2026-10-01"


def test_infrastructure_is_carried_over_in_the_units_of_the_book(book: Path) -> None:
    balancer = {**OTHER, "service": "VPC", "item": "NAT gateway", "unit": "hour", "usd": "0.045"}
    prices = carry(book, OTHER, balancer)
    assert prices["volume/aws/us-east-1/gp3"] == Decimal("0.08")
    assert prices["nat/aws/us-east-1/gateway"] == Decimal("32.85")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gpu": "Gaudi 9", "instance_type": "gaudi.x"}, "GPU Gaudi 9 is not in gpus.json"),
        ({"gpus": "", "instance_type": "g9.x"}, "unknown number of GPUs"),
        ({"gpu": "", "instance_type": "m9.x"}, "what the machine has is not known"),
        ({"note": "spot and flex-start only"}, "not sold on demand"),
    ],
)
def test_what_the_book_cannot_hold_is_counted_by_its_reason(
    change: Mapping[str, str], reason: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry(book, {**NODE, **change}) == {}
    assert f"1 rows left out: {reason}" in capsys.readouterr().out


def test_a_file_with_other_columns_changes_nothing(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in book.glob("*.csv")}
    with pytest.raises(SystemExit) as ended:
        main([table(book, [{"cloud": "aws", "price": "1"}]), "--book", str(book)])
    assert ended.value.code == 2
    assert "Nothing was changed" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in book.glob("*.csv")} == before
