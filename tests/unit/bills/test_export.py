"""Exports of every kind are read alike: rows of one stack, amortized, summed exactly."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from breakeven.bills.charged import BillError, together
from breakeven.bills.export import read_export
from tests.unit.bills.exports import Row, azure, cur, focus, google

OWN = [("stack", "aws-prod")]


def as_csv(path: Path, *rows: Row) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_only_rows_with_the_tag_count_and_the_period_is_that_of_all_rows(tmp_path: Path) -> None:
    other = cur(resource_tags='{"user_stack":"other"}')
    other["line_item_usage_end_date"] = "2026-11-01T00:00:00Z"
    read = read_export(as_csv(tmp_path / "cur.csv", cur(), cur(), other), OWN)
    assert (read.format, read.rows, read.selected) == ("AWS CUR 2.0", 3, 2)
    assert read.cost == Decimal("3.722")
    assert read.hours == 31 * 24
    [item] = read.items
    assert (item.kind, item.unit) == ("usage", "hrs")
    assert item.quantity == 2


def test_ten_thousand_tenths_are_a_thousand(tmp_path: Path) -> None:
    rows = [cur(line_item_unblended_cost="0.1")] * 10_000
    assert read_export(as_csv(tmp_path / "cur.csv", *rows), []).cost == 1000


def test_a_small_amount_in_scientific_notation_counts(tmp_path: Path) -> None:
    read = read_export(as_csv(tmp_path / "c.csv", cur(line_item_unblended_cost="1.25e-05")), [])
    assert read.cost == Decimal("0.0000125")


@pytest.mark.parametrize(
    ("changed", "cost", "kind"),
    [
        ({"savings_plan_savings_plan_effective_cost": "1.2"}, "1.2", "usage"),
        ({"line_item_line_item_type": "SavingsPlanNegation"}, "0", "usage"),
        (
            {
                "line_item_line_item_type": "SavingsPlanRecurringFee",
                "savings_plan_total_commitment_to_date": "10",
                "savings_plan_used_commitment": "7.5",
            },
            "2.5",
            "unused",
        ),
        (
            {"line_item_line_item_type": "DiscountedUsage", "reservation_effective_cost": "0.9"},
            "0.9",
            "usage",
        ),
        (
            {"line_item_line_item_type": "RIFee", "reservation_unused_recurring_fee": "3"},
            "3",
            "unused",
        ),
        ({"line_item_line_item_type": "Tax"}, "1.861", "tax"),
        ({"line_item_line_item_type": "Credit", "line_item_unblended_cost": "-5"}, "-5", "credit"),
    ],
)
def test_commitments_count_at_their_effective_cost(
    changed: Row, cost: str, kind: str, tmp_path: Path
) -> None:
    if "savings_plan_savings_plan_effective_cost" in changed:
        changed = {**changed, "line_item_line_item_type": "SavingsPlanCoveredUsage"}
    [item] = read_export(as_csv(tmp_path / "cur.csv", cur(**changed)), []).items
    assert (item.cost, item.kind) == (Decimal(cost), kind)


def test_focus_azure_and_google_are_read_by_tag_or_label(tmp_path: Path) -> None:
    one = read_export(as_csv(tmp_path / "f.csv", focus(), focus(Tags='{"stack":"x"}')), OWN)
    two = read_export(as_csv(tmp_path / "a.csv", azure(), azure(tags='"stack": "x"')), OWN)
    lines = tmp_path / "g.jsonl"
    rows = [google(), google(labels=[{"key": "stack", "value": "x"}])]
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    three = read_export(lines, OWN)
    assert [read.selected for read in (one, two, three)] == [1, 1, 1]
    assert (one.cost, two.cost, three.cost) == (
        Decimal("1.861"),
        Decimal("167.52"),
        Decimal("0.5"),
    )
    assert two.hours == 24
    assert three.items[0].unit == "hour"


def test_an_export_without_any_column_of_the_sku_is_read(tmp_path: Path) -> None:
    """FOCUS 1.0 has no meter of the SKU."""
    row = {key: value for key, value in focus().items() if key != "SkuMeter"}
    assert read_export(as_csv(tmp_path / "f.csv", row), OWN).cost == Decimal("1.861")


def test_parquet_with_nested_tags_reads_as_csv_does(tmp_path: Path) -> None:
    row = cur(line_item_unblended_cost=1.861, line_item_usage_amount=1.0)
    row["resource_tags"] = [{"key": "user_stack", "value": "aws-prod"}]
    pl.DataFrame([row, {**row, "resource_tags": []}]).write_parquet(tmp_path / "c.parquet")
    pl.DataFrame([google(), google(labels=[])]).write_parquet(tmp_path / "g.parquet")
    assert read_export(tmp_path / "c.parquet", OWN).cost == Decimal("1.861")
    assert read_export(tmp_path / "g.parquet", OWN).cost == Decimal("0.5")


def test_a_compressed_export_reads_as_a_plain_one(tmp_path: Path) -> None:
    plain = as_csv(tmp_path / "cur.csv", cur())
    packed = tmp_path / "cur.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_export(packed, OWN).cost == read_export(plain, OWN).cost


def test_a_quote_in_a_tag_does_not_match_another_tag(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "cur.csv", cur(resource_tags='{"user_note":"stack\\":\\"aws-prod"}'))
    with pytest.raises(BillError, match="none of 1 rows has stack=aws-prod"):
        read_export(path, OWN)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (cur(line_item_currency_code="EUR"), "charged in EUR"),
        (cur(line_item_unblended_cost="a lot"), "the cost of 1 rows is not a number"),
        (
            cur(line_item_usage_start_date="", line_item_usage_end_date=""),
            "no row has a valid time",
        ),
        ({"Service": "EC2", "Cost": "1"}, "unknown columns Service, Cost"),
    ],
)
def test_an_export_that_cannot_be_used_is_named_with_the_way_out(
    row: Row, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BillError, match=said) as raised:
        read_export(as_csv(tmp_path / "bill.csv", row), [])
    assert str(raised.value).startswith(str(tmp_path / "bill.csv"))


@pytest.mark.parametrize("name", ["bill.csv", "bill.parquet", "bill.jsonl", "bill.csv.gz"])
def test_a_file_that_is_no_export_is_one_message(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x00\x01nothing of the kind\n")
    with pytest.raises(BillError):
        read_export(path, [])


def test_exports_in_parts_are_joined_and_a_missing_month_is_reported(tmp_path: Path) -> None:
    first = read_export(as_csv(tmp_path / "1.csv", cur()), [])
    later = cur(
        line_item_usage_start_date="2026-12-01T00:00:00Z",
        line_item_usage_end_date="2026-12-02T00:00:00Z",
    )
    third = read_export(as_csv(tmp_path / "3.csv", later), [])
    assert together([first, first]).cost == 2 * first.cost
    with pytest.raises(BillError, match="no export covers the days from 2026-10-01"):
        together([third, first])
