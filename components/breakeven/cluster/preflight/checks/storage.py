"""Storage: the class, what its provisioner can do, and claims that must be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from breakeven.catalog.storage_classes import storage_class
from breakeven.cluster.preflight.check import Check, Probe
from breakeven.cluster.preflight.finding import Finding, failed, passed, warning
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.quantities import quantity
from breakeven.policy.manifest import at, listed

_GIB = 1 << 30
_ONE_NODE, _MANY_READ, _MANY = "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"

ACCESS_MODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "disk.csi.azure.com": (_ONE_NODE,),
        "ebs.csi.aws.com": (_ONE_NODE,),
        "kubernetes.io/aws-ebs": (_ONE_NODE,),
        "kubernetes.io/azure-disk": (_ONE_NODE,),
        "kubernetes.io/gce-pd": (_ONE_NODE, _MANY_READ),
        "pd.csi.storage.gke.io": (_ONE_NODE, _MANY_READ),
        "rancher.io/local-path": (_ONE_NODE,),
        "efs.csi.aws.com": (_ONE_NODE, _MANY_READ, _MANY),
        "file.csi.azure.com": (_ONE_NODE, _MANY_READ, _MANY),
        "filestore.csi.storage.gke.io": (_ONE_NODE, _MANY_READ, _MANY),
        "nfs.csi.k8s.io": (_ONE_NODE, _MANY_READ, _MANY),
    }
)
"""Access modes of volumes with a file system, by provisioner: kubernetes.io, persistent volumes,
and each driver's own documentation, seen 2026-11-30. A provisioner that is not here may do any."""


def _classes(probe: Probe) -> Iterator[Finding]:
    for claim in probe.needs.claims:
        name = str(claim["spec"].get("storageClassName", ""))
        found = probe.cluster.find(f"/apis/storage.k8s.io/v1/storageclasses/{name}")
        label = f"claim {claim['metadata']['name']}: storage class {name}"
        if found is None:
            others = sorted(
                str(each["metadata"]["name"])
                for each in probe.cluster.items("/apis/storage.k8s.io/v1/storageclasses")
            )
            yield failed(
                f"{label} is missing",
                f"set weights.storageClass to one of {', '.join(others)}"
                if others
                else f"create the storage class {name}; see storage classes at kubernetes.io/docs",
            )
        else:
            yield _class(probe, claim, found, label)


def _class(probe: Probe, claim: Mapping[str, Any], found: dict[str, Any], label: str) -> Finding:
    provisioner = str(found.get("provisioner", ""))
    can = ACCESS_MODES.get(provisioner)
    lacks = [mode for mode in claim["spec"]["accessModes"] if can and mode not in can]
    if lacks:
        return failed(
            f"{label} ({provisioner}) does not support access mode {', '.join(lacks)}",
            "set weights.storageClass to file storage, or, if all replicas run on one node, "
            "weights.accessMode to ReadWriteOnce",
        )
    driver = f"/apis/storage.k8s.io/v1/csidrivers/{provisioner}"
    if ".csi." in provisioner and probe.cluster.find(driver) is None:
        return failed(
            f"{label}: its driver {provisioner} is not installed",
            f"install the CSI driver {provisioner}; kubectl get csidrivers lists installed ones",
        )
    size = quantity(claim["spec"]["resources"]["requests"]["storage"]) / _GIB
    cloud = probe.needs.stack.pool.kind.cloud or ""
    smallest = storage_class(cloud, str(found["metadata"]["name"])).smallest_gib
    if size < smallest:
        return warning(
            f"{label} creates volumes of at least {smallest} GiB; the stack requests {size:.0f} "
            "GiB",
            f"no change needed; the estimate uses {smallest} GiB",
        )
    modes = ", ".join(claim["spec"]["accessModes"])
    return passed(f"{label} ({provisioner}), {modes}, {size:.0f} GiB")


def _existing_claims(needs: Needs) -> list[tuple[str, str]]:
    """Namespace and name of claims that pods mount and the stack does not make."""
    own = {
        (str(claim["metadata"].get("namespace")), str(claim["metadata"]["name"]))
        for claim in needs.claims
    }
    named = {
        (pod.namespace, str(volume["persistentVolumeClaim"]["claimName"]))
        for pod in needs.pods
        for volume in listed(pod.spec.get("volumes"))
        if at(volume, "persistentVolumeClaim", "claimName")
    }
    return sorted(named - own)


def _claims(probe: Probe) -> Iterator[Finding]:
    for namespace, name in _existing_claims(probe.needs):
        found = probe.cluster.find(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
        phase = at(found, "status", "phase")
        if found is None:
            yield failed(
                f"claim {namespace}/{name} is missing",
                "create and fill it first (docs/weights.md), or remove weights.claim",
            )
        elif phase not in {"Bound", "Pending"}:
            yield failed(
                f"claim {namespace}/{name} is {phase}",
                f"kubectl -n {namespace} describe persistentvolumeclaim {name}",
            )
        else:
            yield passed(f"claim {namespace}/{name} exists ({phase})")


CHECKS = (
    Check(
        id="storage-class",
        asks="storage class of every claim: existence, access modes, driver, and minimum volume "
        "size",
        applies=lambda needs: bool(needs.claims),
        run=_classes,
    ),
    Check(
        id="claims",
        asks="existing filled volumes that the stack needs (weights.claim)",
        applies=lambda needs: bool(_existing_claims(needs)),
        run=_claims,
    ),
)
