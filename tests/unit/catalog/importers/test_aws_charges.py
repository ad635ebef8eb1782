"""Products of AWS besides machines are priced as what a bill asks for, in the book's units.

Families, usage types and units are those of the offers of AmazonEC2, AWSELB, AmazonEFS, AmazonEKS
and AmazonVPC; the prices are those of us-east-1 in the shipped book.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.catalog.importers.aws_charges import charge_of, purchase_of
from breakeven.catalog.price_file import read_book
from tests.unit.catalog.importers.builders import SELECTION, read
from tests.unit.catalog.importers.test_readers import aws_csv

CASES = [
    ("Storage", "EBS:VolumeUsage.gp3", "GB-Mo", "0.08", "volume/aws/us-east-1/gp3", "GB-month"),
    ("Storage", "EBS:VolumeUsage.gp2", "GB-Mo", "0.10", "volume/aws/us-east-1/gp2", "GB-month"),
    (
        "Storage",
        "EBS:VolumeUsage.piops",
        "GB-Mo",
        "0.125",
        "volume/aws/us-east-1/io1",
        "GB-month",
    ),
    (
        "System Operation",
        "EBS:VolumeP-IOPS.gp3",
        "IOPS-Mo",
        "0.005",
        "volume/aws/us-east-1/gp3-iops",
        "unit-month",
    ),
    (
        "Provisioned Throughput",
        "EBS:VolumeP-Throughput.gp3",
        "GiBps-mo",
        "40.96",
        "volume/aws/us-east-1/gp3-throughput",
        "unit-month",
    ),
    ("Storage", "TimedStorage-ByteHrs", "GB-Mo", "0.30", "volume/aws/us-east-1/efs", "GB-month"),
    (
        "Storage",
        "TimedStorage-Z-ByteHrs",
        "GB-Mo",
        "0.16",
        "volume/aws/us-east-1/efs-one-zone",
        "GB-month",
    ),
    ("NAT Gateway", "NatGateway-Hours", "Hrs", "0.045", "nat/aws/us-east-1/gateway", "month"),
    ("NAT Gateway", "NatGateway-Bytes", "GB", "0.045", "nat/aws/us-east-1/gb", "GB"),
    (
        "Load Balancer-Network",
        "LoadBalancerUsage",
        "Hrs",
        "0.0225",
        "load-balancer/aws/us-east-1/nlb",
        "month",
    ),
    (
        "Load Balancer-Network",
        "LCUUsage",
        "LCU-Hrs",
        "0.006",
        "load-balancer/aws/us-east-1/nlb-lcu",
        "unit-month",
    ),
    (
        "Compute",
        "AmazonEKS-Hours:perCluster",
        "Hours",
        "0.10",
        "control-plane/aws/us-east-1/eks",
        "month",
    ),
    (
        "VPC Public IPv4 Address",
        "PublicIPv4:InUseAddress",
        "Hrs",
        "0.005",
        "ip/aws/us-east-1/ipv4",
        "month",
    ),
]


def offer(family: str, usage: str, unit: str, usd: str, **columns: str) -> str:
    return aws_csv(
        {
            "Product Family": family,
            "usageType": usage,
            "Unit": unit,
            "PricePerUnit": usd,
            "Instance Type": "",
            **columns,
        }
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[4])
def test_infrastructure_has_the_price_of_the_book(case: tuple[str, ...]) -> None:
    family, usage, unit, usd, identifier, book_unit = case
    prices = {price.identifier: price for price in read(offer(family, usage, unit, usd)).prices}
    assert prices[identifier].unit == book_unit
    listed = read_book().prices.get(identifier)
    if listed is not None:
        assert prices[identifier].usd == listed.usd
    assert prices[identifier].source == "AWS Price List, AmazonEC2"


@pytest.mark.parametrize(
    "columns",
    [
        {"Region Code": "us-west-2"},
        {"Location Type": "AWS Local Zone"},
        {"usageType": "EBS:VolumeUsage.gp9"},
        {"Product Family": "Storage Snapshot"},
        {"Unit": "GB-Hours"},
        {"StartingRange": "50"},
        {"TermType": "Reserved", "LeaseContractLength": "1yr"},
    ],
)
def test_what_is_sold_elsewhere_or_on_other_terms_is_not_taken(columns: dict[str, str]) -> None:
    text = offer("Storage", "EBS:VolumeUsage.gp3", "GB-Mo", "0.08", **columns)
    assert not [price for price in read(text).prices if price.identifier.startswith("volume")]


@pytest.mark.parametrize("code", ["EUC1-", "EU-", "APN1-", ""])
def test_the_code_of_a_region_before_a_usage_type_is_left_out(code: str) -> None:
    product = {
        "productFamily": "Load Balancer-Application",
        "usagetype": f"{code}LoadBalancerUsage",
        "regionCode": "us-east-1",
        "locationType": "AWS Region",
    }
    charge = charge_of(product, SELECTION)
    assert charge is not None
    assert (charge.identifier, charge.times) == ("load-balancer/aws/us-east-1/alb", Decimal(730))


def test_only_a_standard_reservation_without_upfront_payment_is_a_price_by_the_hour() -> None:
    assert purchase_of(("OnDemand", "", "", "")) == "on-demand"
    assert purchase_of(("Reserved", "3yr", "No Upfront", "standard")) == "reserved-3y"
    for term in (
        ("Reserved", "3yr", "Partial Upfront", "standard"),
        ("Reserved", "3yr", "No Upfront", "convertible"),
        ("Reserved", "5yr", "No Upfront", "standard"),
        ("OnDemand", "1yr", "", ""),
    ):
        assert not purchase_of(term)
