"""Items of Azure besides machines are priced as what a bill asks for, in the book's units.

Services and meters are those of the Azure Retail Prices API, which has load balancers under the
region Global.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from breakeven.catalog.importers.azure_charges import FILTERS, SERVICES
from breakeven.catalog.price_file import read_book
from tests.unit.catalog.importers.builders import read
from tests.unit.catalog.importers.test_readers import azure_page

LB_RULES = {
    "serviceName": "Load Balancer",
    "meterName": "Standard Included LB Rules and Outbound Rules",
    "armRegionName": "Global",
    "armSkuName": "",
    "retailPrice": 0.025,
}

CASES: list[tuple[dict[str, Any], str, str]] = [
    (LB_RULES, "load-balancer/azure/eastus/standard", "18.25"),
    (
        {**LB_RULES, "meterName": "Standard Data Processed", "unitOfMeasure": "1 GB"}
        | {"retailPrice": 0.005},
        "load-balancer/azure/eastus/gb",
        "0.005",
    ),
    (
        {"serviceName": "NAT Gateway", "meterName": "Standard Gateway", "retailPrice": 0.045},
        "nat/azure/eastus/gateway",
        "32.85",
    ),
    (
        {
            "serviceName": "Azure Kubernetes Service",
            "meterName": "Standard Uptime SLA",
            "retailPrice": 0.1,
        },
        "control-plane/azure/eastus/aks",
        "73",
    ),
    (
        {
            "serviceName": "Virtual Network",
            "meterName": "Standard IPv4 Static Public IP",
            "retailPrice": 0.005,
        },
        "ip/azure/eastus/ipv4",
        "3.65",
    ),
    (
        {
            "serviceName": "Storage",
            "productName": "Standard SSD Managed Disks",
            "skuName": "E10 LRS",
            "meterName": "E10 LRS Disk",
            "unitOfMeasure": "1/Month",
            "retailPrice": 9.6,
        },
        "volume/azure/eastus/managed-csi",
        "0.075",
    ),
    (
        {
            "serviceName": "Storage",
            "productName": "Premium SSD Managed Disks",
            "skuName": "P10 LRS",
            "meterName": "P10 Disks",
            "unitOfMeasure": "1/Month",
            "retailPrice": 19.71,
        },
        "volume/azure/eastus/managed-csi-premium",
        "0.153984375",
    ),
    (
        {
            "serviceName": "Storage",
            "productName": "Premium Files",
            "skuName": "Premium LRS",
            "meterName": "Premium LRS Provisioned",
            "unitOfMeasure": "1 GiB/Month",
            "retailPrice": 0.16,
        },
        "volume/azure/eastus/azurefile-premium",
        "0.16",
    ),
    (
        {
            "serviceName": "Storage",
            "productName": "Files v2",
            "skuName": "Standard LRS",
            "meterName": "LRS Data Stored",
            "unitOfMeasure": "1 GB/Month",
            "retailPrice": 0.06,
        },
        "volume/azure/eastus/azurefile",
        "0.06",
    ),
]


@pytest.mark.parametrize(("item", "identifier", "usd"), CASES, ids=[case[1] for case in CASES])
def test_infrastructure_has_the_price_of_the_book(
    item: dict[str, Any], identifier: str, usd: str
) -> None:
    prices = {price.identifier: price for price in read(azure_page({}, item)).prices}
    assert f"{prices[identifier].usd.normalize():f}" == usd
    listed = read_book().prices.get(identifier)
    if listed is not None:
        assert (prices[identifier].usd, prices[identifier].unit) == (listed.usd, listed.unit)


@pytest.mark.parametrize(
    "change",
    [
        {"armRegionName": "westus"},
        {"meterName": "Standard Overage LB Rules and Outbound Rules"},
        {"unitOfMeasure": "1 Day"},
        {"type": "DevTestConsumption"},
        {"tierMinimumUnits": 5.0},
        {"effectiveStartDate": "2027-01-01T00:00:00Z"},
    ],
)
def test_what_is_sold_elsewhere_or_on_other_terms_is_not_taken(change: dict[str, Any]) -> None:
    page = azure_page({}, {**LB_RULES, **change})
    assert not [price for price in read(page).prices if price.identifier.startswith("load")]


def test_a_reservation_costs_its_whole_price_over_the_hours_of_its_term() -> None:
    """The sample of the documentation: 25,007 USD for a year, with the unit "1 Hour"."""
    page = json.loads(azure_page({"type": "Reservation", "reservationTerm": "1 Year"}))
    page["Items"][0].update(retailPrice=25007.0, unitOfMeasure="1 Hour")
    [price] = read(json.dumps(page)).prices
    assert price.identifier.endswith("/reserved-1y")
    assert f"{price.usd:.4f}" == "2.8547"


@pytest.mark.parametrize(
    "change",
    [
        {"meterName": "E10 LRS Disk Operations"},
        {"meterName": "E10 ZRS Disk", "skuName": "E10 ZRS"},
        {"skuName": "E20 LRS", "meterName": "E20 LRS Disk"},
        {"productName": "Ultra Disks"},
        {"unitOfMeasure": "1/Hour"},
    ],
)
def test_other_tiers_and_operations_of_disks_are_not_taken(change: dict[str, Any]) -> None:
    [disk] = [case[0] for case in CASES if case[0].get("skuName") == "E10 LRS"]
    page = azure_page({}, {**disk, **change})
    assert not [price for price in read(page).prices if price.identifier.startswith("volume")]


def test_every_service_is_asked_for() -> None:
    services = {case[0]["serviceName"] for case in CASES}
    assert services == {*SERVICES, "Storage"}
    for item, _, _ in CASES:
        wanted = f"serviceName eq '{item['serviceName']}'"
        if item["serviceName"] == "Storage":
            wanted += f" and productName eq '{item['productName']}'"
        assert wanted in FILTERS
