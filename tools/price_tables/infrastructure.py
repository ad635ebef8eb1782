"""Rows of prices of everything but machines: the identifier that each has in the book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from breakeven.catalog.price import Price
from price_tables.rows import Skipped, priced

_HOURS = 730
"""Hours of a month, as for every monthly price."""

_UNITS: Mapping[str, tuple[str, int]] = {
    "GB": ("GB", 1),
    "GiB": ("GB", 1),
    "GB-month": ("GB-month", 1),
    "GiB-month": ("GB-month", 1),
    "GB-hour": ("GB-month", _HOURS),
    "month": ("month", 1),
    "hour": ("month", _HOURS),
    "IOPS-month": ("unit-month", 1),
    "MBps-month": ("unit-month", 1),
    "LCU-hour": ("unit-month", _HOURS),
    "NLCU-hour": ("unit-month", _HOURS),
}
"""Unit of the book and how many of the table's one is. Clouds sell GiB and call them GB."""

_INTERNET = {
    "to the internet, up to 10 TB": ("egress/internet",),
    "to the internet, 10 to 50 TB": ("egress/internet-over-10tb",),
    "to the internet, 50 to 150 TB": ("egress/internet-over-50tb",),
    "to the internet, above 150 TB": ("egress/internet-over-150tb",),
    "between regions": ("egress/between-regions",),
}

_NAMES: Mapping[str, Mapping[tuple[str, str], tuple[str, ...]]] = {
    "aws": {
        ("EBS", "gp2 storage"): ("volume/gp2",),
        ("EBS", "gp3 storage"): ("volume/gp3",),
        ("EBS", "gp3 IOPS above 3,000"): ("volume/gp3-iops",),
        ("EBS", "gp3 throughput above 125 MBps"): ("volume/gp3-throughput",),
        ("EBS", "io1 storage"): ("volume/io1",),
        ("EBS", "io1 IOPS"): ("volume/io1-iops",),
        ("EBS", "sc1 storage"): ("volume/sc1",),
        ("EBS", "st1 storage"): ("volume/st1",),
        ("EFS", "Standard storage"): ("volume/efs",),
        ("EFS", "One Zone storage"): ("volume/efs-one-zone",),
        ("EFS", "elastic throughput, reads"): ("volume/efs-read",),
        ("EFS", "elastic throughput, writes"): ("volume/efs-write",),
        ("EKS", "cluster, standard support"): ("control-plane/eks",),
        ("EKS", "cluster, extended support"): ("control-plane/eks-extended-support",),
        ("VPC", "NAT gateway"): ("nat/gateway",),
        ("VPC", "NAT gateway, data processed"): ("nat/gb",),
        ("VPC", "public IPv4 address, in use or idle"): ("ip/ipv4",),
        ("load balancer", "application load balancer"): ("load-balancer/alb",),
        ("load balancer", "application load balancer, LCU"): ("load-balancer/alb-lcu",),
        ("load balancer", "application or network load balancer"): (
            "load-balancer/alb",
            "load-balancer/nlb",
        ),
        ("load balancer", "network load balancer"): ("load-balancer/nlb",),
        ("load balancer", "network load balancer, NLCU"): ("load-balancer/nlb-lcu",),
        ("ECR", "registry storage"): ("registry/storage",),
        ("CloudWatch Logs", "ingestion, Standard class"): ("logs/ingestion",),
        ("CloudWatch Logs", "archival storage"): ("logs/archive",),
        ("S3", "Standard storage"): ("object-storage/standard",),
        ("data transfer", "between availability zones, each direction"): ("egress/between-zones",),
        **{("data transfer", item): names for item, names in _INTERNET.items()},
    },
    "azure": {
        ("AKS", "cluster, Standard tier"): ("control-plane/aks",),
        ("AKS", "cluster, uptime SLA (Standard tier)"): ("control-plane/aks",),
        ("AKS", "cluster, Premium tier (long-term support)"): (
            "control-plane/aks-long-term-support",
        ),
        ("Azure Files", "premium, provisioned v1, LRS"): ("volume/azurefile-premium",),
        ("Azure Files", "transaction optimized, LRS"): ("volume/azurefile",),
        ("managed disk", "Standard SSD, per GB"): ("volume/managed-csi",),
        ("managed disk", "Standard HDD, per GB"): ("volume/standard-hdd",),
        ("Blob", "Hot LRS storage"): ("object-storage/standard",),
        ("Container Registry", "storage above the included amount"): ("registry/storage",),
        ("Log Analytics", "ingestion, Analytics logs"): ("logs/ingestion",),
        ("load balancer", "Standard, data processed"): ("load-balancer/gb",),
        ("network", "NAT gateway"): ("nat/gateway",),
        ("network", "NAT gateway, data processed"): ("nat/gb",),
        ("network", "public IP, static, regional"): ("ip/ipv4",),
        ("network", "public IP, Standard SKU, static"): ("ip/ipv4",),
        **{("data transfer", item): names for item, names in _INTERNET.items()},
    },
    "gcp": {
        ("persistent disk", "pd-balanced"): ("volume/pd-balanced", "volume/standard-rwo"),
        ("persistent disk", "pd-ssd"): ("volume/pd-ssd", "volume/premium-rwo"),
        ("persistent disk", "pd-standard"): ("volume/pd-standard",),
        ("GKE", "cluster management fee (Standard and Autopilot)"): ("control-plane/gke",),
        ("load balancer", "ingress data processed"): ("load-balancer/gb",),
        ("network", "Cloud NAT gateway, 32 VMs or more"): ("nat/gateway",),
        ("network", "Cloud NAT, data processed"): ("nat/gb",),
        ("network", "external IPv4 on a VM"): ("ip/ipv4",),
        ("network", "external IPv4 on a standard VM"): ("ip/ipv4",),
        ("Artifact Registry", "storage"): ("registry/storage",),
        ("Cloud Logging", "ingestion"): ("logs/ingestion",),
        ("Cloud Storage", "Standard storage"): ("object-storage/standard",),
        **{
            ("data transfer", f"to the internet{where}, {amount}"): (f"egress/{name}",)
            for where in ("", " (worldwide)")
            for amount, name in (
                ("up to 1 TB", "internet"),
                ("1 to 10 TB", "internet-over-1tb"),
                ("above 10 TB", "internet-over-10tb"),
            )
        },
        ("data transfer", "between regions"): ("egress/between-regions",),
    },
    "coreweave": {
        ("Kubernetes", "CKS control plane"): ("control-plane/cks",),
        ("file storage", "distributed"): ("volume/file",),
        ("network", "egress"): ("egress/internet",),
        ("network", "public IP address"): ("ip/ipv4",),
        ("object storage", "hot"): ("object-storage/standard",),
    },
    "crusoe": {
        ("Kubernetes", "managed cluster"): ("control-plane/cmk",),
        ("block storage", "persistent disks"): ("volume/block",),
        ("file storage", "shared disks"): ("volume/file",),
        ("object storage", "storage"): ("object-storage/standard",),
        ("registry", "storage"): ("registry/storage",),
    },
    "hyperstack": {
        ("Kubernetes", "on-demand master node"): ("control-plane/hyperstack",),
        ("block storage", "Cloud-SSD volumes"): ("volume/block",),
        ("network", "egress and ingress"): ("egress/internet",),
        ("network", "public IP address"): ("ip/ipv4",),
    },
    "nebius": {
        ("Kubernetes", "managed control plane"): ("control-plane/mk8s",),
        ("block storage", "erasure coding"): ("volume/block",),
        ("file storage", "shared filesystem"): ("volume/file",),
        ("network", "egress and ingress"): ("egress/internet",),
        ("network", "public IP address"): ("ip/ipv4",),
        ("object storage", "standard"): ("object-storage/standard",),
    },
    "oci": {
        ("Block Volume", "storage"): ("volume/block",),
        ("Object Storage", "Standard storage"): ("object-storage/standard",),
        ("data transfer", "between regions"): ("egress/between-regions",),
        ("data transfer", "to the internet, above 10 TB"): ("egress/internet-over-10tb",),
    },
}
"""Kind and name in the book by service and item. GKE calls pd-balanced and pd-ssd standard-rwo and
premium-rwo; other names of Kubernetes storage classes are those of the clouds' own classes."""

_EVERYWHERE = frozenset({"", "all regions"})


def read(rows: Iterable[Mapping[str, str]]) -> Iterator[Price | Skipped]:
    """Yields the prices of each row, or why there is none.

    Args:
        rows: With cloud, region, service, item, unit, usd, as_of, source, licence and note.
    """
    for row in rows:
        names = _NAMES.get(row["cloud"], {}).get((row["service"], row["item"]), ())
        label = f"{row['cloud']} {row['service']}, {row['item']}"
        if not names:
            yield Skipped(label, "no bill asks for it")
        for name in names:
            yield _price(row, name)


def _price(row: Mapping[str, str], name: str) -> Price:
    kind, _, last = name.partition("/")
    region = "any" if row["region"] in _EVERYWHERE else row["region"]
    unit, factor = _UNITS[row["unit"]]
    usd = Decimal(row["usd"])
    return priced(
        row,
        f"{kind}/{row['cloud']}/{region}/{last}",
        usd * factor,
        unit,
        f"{usd:f} USD an hour x {_HOURS} hours" if factor != 1 else "",
    )
