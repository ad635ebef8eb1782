"""Any program's resources are priced by the book; what is not known is listed, never free."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.bill.charge import Context, Place, UnpricedReason
from breakeven.cost.bill.pricing import price_resources
from breakeven.cost.bill.registered import Registered
from breakeven.reports.program_table import program_table
from breakeven.reports.sentences.line_items import not_priced_reason

TODAY = date(2026, 11, 24)
AWS = Context(Place("aws", "us-east-1"))


def priced(kind: str, properties: dict[str, object]) -> tuple[Decimal, list[str]]:
    found = price_resources([Registered("x", kind, properties)], PriceBook.load(today=TODAY), AWS)
    return found.monthly, [not_priced_reason(item, "prices") for item in found.not_priced]


@pytest.mark.parametrize(
    ("kind", "properties", "usd"),
    [
        # 730 hours x 0.192, 1.861; 100 GB x 0.08; list prices of the book
        # 140.16 + 30 GB of gp2 x 0.10 + 200 GB of gp3 x 0.08
        (
            "aws:ec2/instance:Instance",
            {
                "instanceType": "m6i.xlarge",
                "rootBlockDevice": {"volumeSize": 30},
                "ebsBlockDevices": [
                    {"deviceName": "/dev/sdf", "volumeType": "gp3", "volumeSize": 200}
                ],
            },
            "159.16",
        ),
        # 100 GB x 0.125 + 1,000 IOPS x 0.065
        ("aws:ebs/volume:Volume", {"type": "io1", "size": 100, "iops": 1000}, "77.50"),
        ("aws:ebs/volume:Volume", {"type": "gp3", "size": 100}, "8.00"),
        ("aws:eks/cluster:Cluster", {}, "73.00"),
        ("aws:ec2/natGateway:NatGateway", {}, "32.85"),
        ("kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}}, "16.43"),
        (
            "kubernetes:core/v1:PersistentVolumeClaim",
            {
                "spec": {
                    "storageClassName": "gp3",
                    "resources": {"requests": {"storage": "100Gi"}},
                }
            },
            "8.00",
        ),
        ("kubernetes:core/v1:ConfigMap", {}, "0"),
    ],
)
def test_what_the_book_knows_is_priced(kind: str, properties: dict[str, object], usd: str) -> None:
    assert priced(kind, properties) == (Decimal(usd), [])


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        (
            "aws:ec2/instance:Instance",
            {"instanceType": "m99.huge", "rootBlockDevice": {"volumeSize": 0}},
            "no price node/aws",
        ),
        (
            "aws:ec2/instance:Instance",
            {
                "instanceType": "m6i.xlarge",
                "instanceMarketOptions": {"marketType": "spot"},
                "rootBlockDevice": {"volumeSize": 0},
            },
            "no price node/aws/us-east-1/m6i.xlarge/spot",
        ),
        ("aws:ebs/volume:Volume", {"type": "gp3", "size": -1}, "size or type"),
        ("aws:eks/nodeGroup:NodeGroup", {"instanceTypes": ["g6e.xlarge"]}, "number of nodes"),
        ("aws:ebs/volume:Volume", {"type": "gp3"}, "size or type"),
        ("gcp:compute/instance:Instance", {"machineType": "n2-standard-4"}, "it belongs to gcp"),
        ("aws:rds/instance:Instance", {}, "no rule for this type"),
        ("breakeven:gpu_pool:GpuPool", {}, "only priced by its own stack"),
        ("kubernetes:core/v1:Service", {"spec": {"type": None}}, "type is not known"),
    ],
)
def test_what_it_does_not_know_is_listed_and_not_in_the_total(
    kind: str, properties: dict[str, object], reason: str
) -> None:
    usd, reasons = priced(kind, properties)
    assert usd == 0
    [told] = reasons
    assert reason in told


def test_a_machine_whose_image_decides_about_its_root_volume_is_priced_without_it() -> None:
    usd, [told] = priced("aws:ec2/instance:Instance", {"instanceType": "m6i.xlarge"})
    assert usd == Decimal("140.16")  # 730 hours x 0.192
    assert "size comes from the machine's image" in told
    usd, reasons = priced("aws:ec2/instance:Instance", {"instanceType": None})
    assert usd == 0
    assert "machine type is not known" in reasons[0]


def test_nodes_of_a_group_are_priced_by_their_number_and_capacity_type() -> None:
    group: dict[str, object] = {
        "instanceTypes": ["g6e.xlarge"],
        "scalingConfig": {"desiredSize": 2},
    }
    usd, [told] = priced("aws:eks/nodeGroup:NodeGroup", group)
    assert usd == Decimal("2717.06")  # 2 x 730 hours x 1.861
    assert "image" in told
    usd, reasons = priced("aws:eks/nodeGroup:NodeGroup", {**group, "capacityType": "SPOT"})
    assert usd == 0
    assert "no price node/aws/us-east-1/g6e.xlarge/spot" in reasons[0]


@pytest.mark.parametrize(
    ("cloud", "kind", "properties"),
    [
        (
            "azure",
            "azure:compute/linuxVirtualMachine:LinuxVirtualMachine",
            {"size": "x", "priority": "Spot"},
        ),
        (
            "gcp",
            "gcp:compute/instance:Instance",
            {"machineType": "x", "scheduling": {"provisioningModel": "SPOT"}},
        ),
        (
            "gcp",
            "gcp:compute/instance:Instance",
            {"machineType": "x", "scheduling": {"preemptible": True}},
        ),
    ],
)
def test_a_spot_machine_is_never_priced_on_demand(
    cloud: str, kind: str, properties: dict[str, object]
) -> None:
    own = {
        f"node/{cloud}/r/x/spot": Decimal(1),
        f"node/{cloud}/r/x/on-demand": Decimal(3),
    }
    book = PriceBook.load(own, today=TODAY)
    found = price_resources([Registered("x", kind, properties)], book, Context(Place(cloud, "r")))
    assert found.monthly == 730


def test_inputs_that_can_not_be_read_are_listed() -> None:
    resource = Registered("x", "aws:ec2/instance:Instance", None)
    found = price_resources([resource], PriceBook.load(today=TODAY), AWS)
    assert found.not_priced[0].reason is UnpricedReason.INPUTS_UNREADABLE


def test_own_prices_win() -> None:
    own = PriceBook.load({"control-plane/eks": Decimal(10)}, today=TODAY)
    found = price_resources([Registered("c", "aws:eks/cluster:Cluster", {})], own, AWS)
    assert found.monthly == 10
    assert "stated" in program_table("t", found)


def test_the_table_names_what_is_left_out() -> None:
    resources = [
        Registered("cluster", "aws:eks/cluster:Cluster", {}),
        Registered("base", "aws:rds/instance:Instance", {}),
        Registered("names", "kubernetes:core/v1:ConfigMap", {}),
    ]
    text = program_table("t", price_resources(resources, PriceBook.load(today=TODAY), AWS))
    assert "Control plane cluster (eks)" in text
    assert "Total" in text
    assert "1 resource is free." in text
    assert "not in the total: base (aws:rds/instance:Instance): no rule" in " ".join(text.split())
