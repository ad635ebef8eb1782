"""Storage classes whose bill is more than the size that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class StorageClass:
    """What a storage class charges besides the size of a claim.

    Attributes:
        smallest_gib: A smaller claim is made, and paid, as large as this; 0 for any size.
        charges_reads: Whether each GB that is read is paid.
    """

    smallest_gib: int = 0
    charges_reads: bool = False


_CLASSES: Mapping[str, StorageClass] = MappingProxyType(
    {
        # Elastic Throughput, the default of new file systems: docs.aws.amazon.com/efs, throughput
        # modes; factualminds.com "Amazon EFS Pricing", June 2026. No smallest size (cloudburn.io,
        # 2026-03-03).
        "aws/efs": StorageClass(charges_reads=True),
        "aws/efs-one-zone": StorageClass(charges_reads=True),
        # 100 GiB from GKE 1.33 on, 1 TiB before: docs.cloud.google.com/filestore/docs/csi-driver,
        # seen 2026-11-29. Reads are free.
        "gcp/standard-rwx": StorageClass(smallest_gib=100),
        # docs.azure.cn/aks/create-volume-azure-files, seen 2026-11-29. Reads are free: throughput
        # comes with the size.
        "azure/azurefile-premium": StorageClass(smallest_gib=100),
        "azure/azurefile-csi-premium": StorageClass(smallest_gib=100),
    }
)


def storage_class(cloud: str, name: str) -> StorageClass:
    """Returns what is known about a storage class of a cloud; of another that its size is all.

    Args:
        cloud: Name of the cloud.
        name: Name of the class in the cluster.
    """
    return _CLASSES.get(f"{cloud}/{name}", StorageClass())
