"""The bill as rows of FOCUS 1.2, for tools that read cloud bills.

A projection: nothing of it was billed, so BilledCost is 0 and the other costs are the projected
ones. Names of columns and values: FinOps Open Cost and Usage Specification 1.2, focus.finops.org;
`tests/focus` holds the rows against the FinOps Foundation's own validator.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from breakeven.catalog.clouds import find_cloud
from breakeven.cost.bill.charge import LineItemKind
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.report import Report
from breakeven.reports.formatting import month_name
from breakeven.reports.sentences.line_items import item_source, lasting_name

VERSION = "1.2"

NOTICE = "FOCUS-shaped projection by Breakeven: estimated before deployment, nothing was billed."

_VIRTUAL = "Virtual Machines"
_OWN = "Other (Compute)"
_ROUTING = "Network Routing"
_PEOPLE = "Other (Other)"
_GPU_NODES = "GPU nodes"
_CPU_NODES = "CPU nodes"

_SERVICES: Mapping[LineItemKind, tuple[str, str, str]] = {
    "busy-nodes": ("Compute", _VIRTUAL, _GPU_NODES),
    "idle-nodes": ("Compute", _VIRTUAL, _GPU_NODES),
    "cpu-nodes": ("Compute", _VIRTUAL, _CPU_NODES),
    "gateway-nodes": ("Compute", _VIRTUAL, _CPU_NODES),
    "gateway-nodes-of-load": ("Compute", _VIRTUAL, _CPU_NODES),
    "commitment": ("Compute", _VIRTUAL, _GPU_NODES),
    "machine": ("Compute", _VIRTUAL, "Virtual machines"),
    "control-plane": ("Compute", "Containers", "Kubernetes control plane"),
    "electricity": ("Compute", _OWN, "Data center"),
    "electricity-of-work": ("Compute", _OWN, "Data center"),
    "rack": ("Compute", _OWN, "Data center"),
    "capital": ("Compute", _OWN, "Owned hardware"),
    "insurance": ("Compute", _OWN, "Owned hardware"),
    "spares": ("Compute", _OWN, "Owned hardware"),
    "shared-hardware": ("Compute", _OWN, "Owned hardware"),
    "shared-electricity": ("Compute", _OWN, "Data center"),
    "root-volumes": ("Storage", "Block Storage", "Block storage"),
    "volume": ("Storage", "File Storage", "Volumes"),
    "volume-iops": ("Storage", "File Storage", "Volumes"),
    "volume-reads": ("Storage", "File Storage", "Volumes"),
    "registry": ("Storage", "Object Storage", "Registry"),
    "load-balancer": ("Networking", _ROUTING, "Load balancer"),
    "load-balancer-traffic": ("Networking", _ROUTING, "Load balancer"),
    "nat-gateway": ("Networking", _ROUTING, "NAT gateway"),
    "nat-gateway-nodes": ("Networking", _ROUTING, "NAT gateway"),
    "nat-gateway-images": ("Networking", _ROUTING, "NAT gateway"),
    "nat-gateway-text": ("Networking", _ROUTING, "NAT gateway"),
    "zone-traffic": ("Networking", "Network Connectivity", "Data transfer"),
    "public-address": ("Networking", "Network Infrastructure", "Public addresses"),
    "logs": ("Management and Governance", "Observability", "Logs"),
    "overflow": ("AI and Machine Learning", "Generative AI", "Model API"),
    "escalation": ("AI and Machine Learning", "Generative AI", "Model API"),
    "engineer": ("Other", _PEOPLE, "Staffing"),
    "on-call": ("Other", _PEOPLE, "Staffing"),
}
"""FOCUS's category and subcategory, and the service, by what a line pays for."""

OWN_ORGANIZATION = "Own organization"
"""Provider, publisher and issuer of what no provider charges: people, owned hardware, reserves."""

_BY_API: frozenset[LineItemKind] = frozenset({"overflow", "escalation"})
_OWN_SERVICES = frozenset({"Data center", "Owned hardware", "Staffing"})

_UNITS: Mapping[str, str] = {
    "node-hour": "Hours",
    "hour": "Hours",
    "month": "Months",
    "node-month": "Months",
    "engineer-month": "Months",
    "LCU-month": "LCU-Months",
    "GB-month": "GB-Months",
    "GiB-month": "GiB-Months",
    "IOPS-month": "IOPS-Months",
    "million tokens": "1000000 Tokens",
    "unit": "Units",
}
"""Units as FOCUS's Unit Format spells them; what is not here is spelled alike."""

_QUANTITY_DECIMALS = 9
_RATE_DECIMALS = 10


def focus_rows(report: Report) -> list[dict[str, str | None]]:
    """Returns one row a line of the bill, and one for the contingency; decimals as strings.

    ListCost is ListUnitPrice times PricingQuantity, not rounded, so the rows sum to the total, with
    a candidate's trial to what it adds.
    """
    lines = (*report.infrastructure.lines, *report.staffing, *report.candidate_lines)
    rows = [_priced(report, line) for line in lines]
    contingency = report.bill.contingency + report.candidate_contingency
    if contingency:
        rows.append(_contingency(report, contingency))
    return rows


def focus_document(report: Report) -> dict[str, object]:
    """Returns the rows with what they are."""
    return {
        "version": 1,
        "description": NOTICE,
        "focusVersion": VERSION,
        "rows": focus_rows(report),
    }


def focus_csv(report: Report) -> str:
    """Returns the rows as CSV; null is an empty cell, and x_Projection says what they are."""
    rows = focus_rows(report)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def _priced(report: Report, line: LineItem) -> dict[str, str | None]:
    category, subcategory, service = _SERVICES[line.kind]
    if line.on_cpus and service == _GPU_NODES:
        service = _CPU_NODES
    quantity = f"{round(line.quantity, _QUANTITY_DECIMALS):f}"
    unit = _UNITS.get(line.unit, line.unit)
    price = None if line.private else f"{line.unit_price:f}"
    provider = _provider(report, line.kind, service)
    tags = {"breakeven:kind": line.kind, "breakeven:stack": report.assumptions.stack}
    if line.model:
        tags["breakeven:model"] = line.model
    return _row(
        report,
        item=lasting_name(line),
        key=line.key,
        cost=None if line.private else line.monthly,
        ChargeCategory="Usage",
        ChargeFrequency="Usage-Based",
        ConsumedQuantity=quantity,
        ConsumedUnit=unit,
        ContractedUnitPrice=price,
        ListUnitPrice=price,
        PricingCategory="Standard" if line.confidence == "list" else "Other",
        PricingQuantity=quantity,
        PricingUnit=unit,
        ProviderName=provider,
        ServiceCategory=category,
        ServiceName=service,
        ServiceSubcategory=subcategory,
        SkuId=line.identifier,
        SkuMeter=service,
        SkuPriceId=line.identifier,
        Tags=json.dumps(tags, sort_keys=True),
        x_CostBasis=line.confidence,
        x_PriceAsOf=line.as_of.isoformat() if line.as_of else None,
        x_PriceSource=item_source(line),
    )


def _provider(report: Report, kind: LineItemKind, service: str) -> str:
    """Returns who charges for a line; FOCUS has no row without a provider."""
    assumptions = report.assumptions
    if kind in _BY_API:
        return assumptions.overflow_price.reference.partition("/")[0]
    if service in _OWN_SERVICES:
        return OWN_ORGANIZATION
    return find_cloud(assumptions.cloud).provider or OWN_ORGANIZATION


def _contingency(report: Report, cost: Decimal) -> dict[str, str | None]:
    share = report.assumptions.staffing.contingency_share
    return _row(
        report,
        item="Contingency",
        key="contingency",
        cost=cost,
        ChargeCategory="Adjustment",
        ChargeFrequency="One-Time",
        ProviderName=OWN_ORGANIZATION,
        ServiceCategory="Other",
        ServiceName="Contingency",
        ServiceSubcategory=_PEOPLE,
        Tags=json.dumps(
            {"breakeven:kind": "contingency", "breakeven:stack": report.assumptions.stack}
        ),
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
    amount = None if cost is None else f"{cost:f}"
    provider = known["ProviderName"]
    is_cloud = provider != OWN_ORGANIZATION and known["ServiceName"] != "Model API"
    region = assumptions.region or None if is_cloud else None
    per_million = None if cost is None else round(cost / tokens * 10**6, _RATE_DECIMALS)
    common: dict[str, str | None] = {
        "BilledCost": "0.00",
        "BillingAccountId": f"breakeven/{assumptions.stack}",
        "BillingAccountName": assumptions.stack,
        "BillingCurrency": "USD",
        "BillingPeriodStart": start,
        "BillingPeriodEnd": end,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargeDescription": f"{item}, projected for a month of {month_name(assumptions.calendar)}",
        "ContractedCost": amount,
        "EffectiveCost": amount,
        "InvoiceIssuerName": provider,
        "ListCost": amount,
        "PublisherName": provider,
        "RegionId": region,
        "RegionName": region,
        "ResourceId": f"breakeven/{assumptions.stack}/{key}",
        "ResourceName": item,
        "ResourceType": known["ServiceName"],
        "SubAccountId": f"breakeven/{assumptions.stack}",
        "SubAccountName": assumptions.stack,
        "x_ListCostPerMillionTokens": None if per_million is None else f"{per_million:f}",
        "x_Projection": NOTICE,
        "x_TokensMonthly": f"{round(tokens):d}",
    }
    filled = {**common, **known}
    return {column: filled.get(column) for column in _COLUMNS}


_COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
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
