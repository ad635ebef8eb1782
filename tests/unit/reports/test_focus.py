"""The rows have FOCUS's names and rules, and sum to the report's total."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.report import Report
from breakeven.planning.offline import estimate_stack
from breakeven.reports.focus import NOTICE, OWN_ORGANIZATION, focus_csv, focus_document, focus_rows
from breakeven.reports.formatting import money
from tests.unit.cost.builders import TODAY, api, assumptions
from tests.unit.reports.cases import report_of, reports

# FOCUS 1.2: the allowed values of three columns.
SERVICE_CATEGORIES = {"Compute", "Storage", "Networking", "Management and Governance", "Other"}
CHARGE_CATEGORIES = {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
PRICING_CATEGORIES = {"Standard", "Dynamic", "Committed", "Other", None}


def costs(rows: list[dict[str, str | None]]) -> list[Decimal]:
    return [Decimal(row["ListCost"] or "") for row in rows]


@settings(max_examples=40)
@given(reports())
def test_the_rows_sum_to_the_total(report: Report) -> None:
    assert money(sum(costs(focus_rows(report)), Decimal(0))) == money(report.total)


@settings(max_examples=40)
@given(reports())
def test_list_cost_is_list_unit_price_times_quantity(report: Report) -> None:
    for row in focus_rows(report):
        if row["ChargeCategory"] == "Usage":
            price, quantity = row["ListUnitPrice"], row["PricingQuantity"]
            assert price is not None
            assert quantity is not None
            # The quantity is rounded to nine decimals, and the cost to the cent.
            off = abs(Decimal(row["ListCost"] or "") - Decimal(price) * Decimal(quantity))
            assert off <= Decimal("0.005") + Decimal(price) * Decimal("1e-9")


@settings(max_examples=20)
@given(reports())
def test_nothing_was_billed(report: Report) -> None:
    for row in focus_rows(report):
        assert row["BilledCost"] == "0.00"
        assert row["InvoiceId"] is None
        assert row["x_Projection"] == NOTICE
    assert "FOCUS-shaped projection" in NOTICE


# FOCUS 1.2: columns that no row may leave empty.
MANDATORY = (
    "BilledCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
)
UNIT = re.compile(r"(\d+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z][A-Za-z0-9]*)*(-(Months|Hours))?")


@settings(max_examples=20)
@given(reports())
def test_mandatory_columns_hold_something_and_units_have_focus_s_format(report: Report) -> None:
    for row in focus_rows(report):
        assert {name for name in MANDATORY if row[name] is None} == set()
        assert {"ChargeClass", "PricingQuantity", "PricingUnit"} <= row.keys()
        assert json.loads(row["Tags"] or "")["breakeven:stack"] == report.assumptions.stack
        for name in ("PricingUnit", "ConsumedUnit"):
            assert row[name] is None or UNIT.fullmatch(row[name] or "")


@settings(max_examples=20)
@given(reports())
def test_names_and_keys_hold_no_figure_that_changes_from_month_to_month(report: Report) -> None:
    rows = focus_rows(report)
    for row in rows:
        assert "%" not in f"{row['ResourceId']} {row['ResourceName']} {row['ChargeDescription']}"
    assert len({row["ResourceId"] for row in rows}) == len(rows)


@pytest.mark.parametrize("stack", ["hybrid", "on-prem"])
def test_each_row_names_who_charges_for_it(stack: str) -> None:
    report = estimate_stack(stack, TODAY)
    by_kind = {
        json.loads(row["Tags"] or "")["breakeven:kind"]: row["ProviderName"]
        for row in focus_rows(report)
    }
    if stack == "hybrid":
        assert by_kind["busy-nodes"] == "AWS"
        assert by_kind["overflow"] == report.assumptions.overflow_price.reference.partition("/")[0]
    assert by_kind["engineer"] == OWN_ORGANIZATION


@settings(max_examples=20)
@given(reports())
def test_values_are_among_those_that_focus_allows(report: Report) -> None:
    for row in focus_rows(report):
        assert row["ServiceCategory"] in SERVICE_CATEGORIES
        assert row["ChargeCategory"] in CHARGE_CATEGORIES
        assert row["PricingCategory"] in PRICING_CATEGORIES
        assert row["BillingCurrency"] == "USD"


@settings(max_examples=20)
@given(reports())
def test_the_cost_of_a_million_tokens_sums_to_the_reports(report: Report) -> None:
    parts = [Decimal(row["x_ListCostPerMillionTokens"] or "") for row in focus_rows(report)]
    whole = report.total / report.assumptions.tokens_per_month * 10**6
    assert sum(parts) == pytest.approx(whole)


def test_csv_has_the_rows_of_json() -> None:
    report = report_of(staffing=replace(assumptions().staffing, contingency_share=Decimal("0.1")))
    read = list(csv.DictReader(io.StringIO(focus_csv(report))))
    rows = focus_document(report)["rows"]
    assert isinstance(rows, list)
    assert [{key: value or None for key, value in row.items()} for row in read] == rows


def test_csv_brings_no_formula_into_a_spreadsheet() -> None:
    assumed = assumptions(stack="=1+1", hosted=(api("a/b", "1"),))
    for row in csv.DictReader(io.StringIO(focus_csv(report_of(stack=assumed.stack)))):
        assert row["SubAccountName"] == "'=1+1"


@pytest.mark.parametrize(
    ("today", "start", "end"),
    [
        (date(2026, 11, 24), "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (date(2026, 12, 31), "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
        (date(2026, 1, 1), "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    ],
)
def test_the_charge_period_is_the_next_calendar_month(today: date, start: str, end: str) -> None:
    [row, *_] = focus_rows(report_of(book=PriceBook.load(today=today)))
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (start, end)


def test_rented_nodes_carry_the_identifier_of_their_price() -> None:
    rows = focus_rows(report_of(book=PriceBook.load(today=TODAY)))
    skus = {row["ResourceName"]: row["SkuId"] for row in rows}
    assert {sku for name, sku in skus.items() if (name or "").startswith("GPU nodes")} == {
        "node/test"
    }
