"""The bill as rows in the shape of FOCUS 1.2, for tools that read cloud bills.

A FOCUS-shaped projection: nothing of it was billed, so BilledCost and EffectiveCost are null. Names
of columns and values: FinOps Open Cost and Usage Specification 1.2, focus.finops.org.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from breakeven.catalog.clouds import find_cloud
from breakeven.cost.bill.charge import LineItemKind
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.report import Report
from breakeven.reports.formatting import month_name
from breakeven.reports.sentences.line_items import item_name, item_source

VERSION = "1.2"

NOTICE = "FOCUS-shaped projection by Breakeven: estimated before deployment, nothing was billed."

_SERVICES: Mapping[LineItemKind, tuple[str, str]] = {
    "busy-nodes": ("Compute", "GPU nodes"),
    "idle-nodes": ("Compute", "GPU nodes"),
    "cpu-nodes": ("Compute", "CPU nodes"),
    "commitment": ("Compute", "GPU nodes"),
    "machine": ("Compute", "Virtual machines"),
    "control-plane": ("Compute", "Kubernetes control plane"),
    "electricity": ("Compute", "Data center"),
    "electricity-of-work": ("Compute", "Data center"),
    "rack": ("Compute", "Data center"),
    "capital": ("Compute", "Owned hardware"),
    "insurance": ("Compute", "Owned hardware"),
    "spares": ("Compute", "Owned hardware"),
    "shared-hardware": ("Compute", "Owned hardware"),
    "shared-electricity": ("Compute", "Data center"),
    "root-volumes": ("Storage", "Block storage"),
    "volume": ("Storage", "Volumes"),
    "volume-iops": ("Storage", "Volumes"),
    "volume-reads": ("Storage", "Volumes"),
    "registry": ("Storage", "Registry"),
    "load-balancer": ("Networking", "Load balancer"),
    "load-balancer-traffic": ("Networking", "Load balancer"),
    "nat-gateway": ("Networking", "NAT gateway"),
    "nat-gateway-nodes": ("Networking", "NAT gateway"),
    "nat-gateway-images": ("Networking", "NAT gateway"),
    "nat-gateway-text": ("Networking", "NAT gateway"),
    "zone-traffic": ("Networking", "Data transfer"),
    "public-address": ("Networking", "Public addresses"),
    "logs": ("Management and Governance", "Logs"),
    "overflow": ("AI and Machine Learning", "Model API"),
    "escalation": ("AI and Machine Learning", "Model API"),
    "engineer": ("Other", "Staffing"),
    "on-call": ("Other", "Staffing"),
}
"""FOCUS's category and the service, by what a line pays for."""


def focus_rows(report: Report) -> list[dict[str, str | None]]:
    """Returns one row a line of the bill, and one for the contingency; decimals as strings.

    ListCost is ListUnitPrice times PricingQuantity, not rounded, so the rows sum to the total.
    """
    rows = [_priced(report, line) for line in (*report.infrastructure.lines, *report.staffing)]
    if report.bill.contingency:
        rows.append(_contingency(report))
    return rows


def focus_document(report: Report) -> dict[str, object]:
    """Returns the rows with what they are."""
    return {"description": NOTICE, "focusVersion": VERSION, "rows": focus_rows(report)}


def focus_csv(report: Report) -> str:
    """Returns the rows as CSV; null is an empty cell, and x_Projection says what they are."""
    rows = focus_rows(report)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def _priced(report: Report, line: LineItem) -> dict[str, str | None]:
    category, service = _SERVICES[line.kind]
    quantity = f"{line.quantity:f}"
    return _row(
        report,
        item=item_name(line),
        key=line.key,
        cost=None if line.private else line.monthly,
        ChargeCategory="Usage",
        ChargeFrequency="Usage-Based",
        ConsumedQuantity=quantity,
        ConsumedUnit=line.unit,
        ListUnitPrice=None if line.private else f"{line.unit_price:f}",
        PricingCategory="Standard" if line.confidence == "list" else "Other",
        PricingQuantity=quantity,
        PricingUnit=line.unit,
        ServiceCategory=category,
        ServiceName=service,
        SkuId=line.identifier,
        x_CostBasis=line.confidence,
        x_PriceAsOf=line.as_of.isoformat() if line.as_of else None,
        x_PriceSource=item_source(line),
    )


def _contingency(report: Report) -> dict[str, str | None]:
    share = report.assumptions.staffing.contingency_share
    return _row(
        report,
        item="Contingency",
        key="contingency",
        cost=report.bill.contingency,
        ChargeCategory="Adjustment",
        ChargeFrequency="One-Time",
        ServiceCategory="Other",
        ServiceName="Contingency",
        x_CostBasis="user",
        x_PriceSource=f"stack setting staffing.contingencyPercent: {share:.0%} of everything else",
    )


def _row(
    report: Report, *, item: str, key: str, cost: Decimal | None, **known: str | None
) -> dict[str, str | None]:
    """Returns all columns, in FOCUS's alphabetic order and ours after them; the others null."""
    assumptions = report.assumptions
    start, end = _next_month(assumptions.book.today)
    tokens = report.assumptions.tokens_per_month
    common: dict[str, str | None] = {
        "BillingCurrency": "USD",
        "BillingPeriodStart": start,
        "BillingPeriodEnd": end,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargeDescription": f"{item}, projected for a month of {month_name(assumptions.calendar)}",
        "ListCost": None if cost is None else f"{cost:f}",
        "ProviderName": find_cloud(assumptions.cloud).provider or None,
        "RegionId": assumptions.region or None,
        "ResourceId": f"breakeven/{assumptions.stack}/{key}",
        "ResourceName": item,
        "ResourceType": known["ServiceName"],
        "SubAccountName": assumptions.stack,
        "x_ListCostPerMillionTokens": None if cost is None else f"{cost / tokens * 10**6:f}",
        "x_Projection": NOTICE,
        "x_TokensMonthly": f"{tokens:f}",
    }
    filled = {**common, **known}
    return {column: filled.get(column) for column in _COLUMNS}


_COLUMNS = (
    "BilledCost",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "EffectiveCost",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "RegionId",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountName",
    "x_CostBasis",
    "x_ListCostPerMillionTokens",
    "x_PriceAsOf",
    "x_PriceSource",
    "x_Projection",
    "x_TokensMonthly",
)


def _next_month(today: date) -> tuple[str, str]:
    """Returns first instant of the calendar month after a day, and of the month after that."""
    months = today.year * 12 + today.month  # of the next month, counted from year 0
    return _instant(months), _instant(months + 1)


def _instant(months: int) -> str:
    first = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return first.strftime("%Y-%m-%dT%H:%M:%SZ")


def _inert(value: str | None) -> str | None:
    """Keeps spreadsheets from taking a text for a formula."""
    return f"'{value}" if value and value[0] in "=+-@\t" else value
