"""What a registered resource is, in the eyes of a bill.

`classify` is total: any type with any properties gets an answer, and what is not known is unknown,
never free and never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException

from breakeven.catalog.pool_kinds import POOL_KINDS, is_pool_resource

GPU_POOL = "breakeven:gpu_pool:GpuPool"

_FREE = {
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Secret",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:keda.sh/v1alpha1:ScaledObject",
    "kubernetes:keda.sh/v1alpha1:TriggerAuthentication",
    "kubernetes:monitoring.coreos.com/v1:PodMonitor",
    "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
}
_WORKLOADS = {
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:Job",
}
_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource as the ledger saw it.

    Attributes:
        name: Name in the program.
        type: Type token.
        properties: Inputs as plain values; None where they could not be read.
    """

    name: str
    type: str
    properties: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class GpuNodes:
    """The GPU node pool.

    Attributes:
        node_volume_class: Storage class of a started node's root volume; empty for none.
        node_volume_gigabytes: Its size, in GB.
    """

    node_volume_class: str
    node_volume_gigabytes: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A persistent volume; size in GB of 10^9 bytes, as price lists use it rounded up to GiB.

    `instance` is the label that says whose it is; empty without one.
    """

    storage_class: str
    gigabytes: Decimal
    instance: str = ""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A Service that makes the cloud start a load balancer; `instance` as of a volume."""

    instance: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods. `gpus` is what one replica asks for; the nodes that it runs on are what is paid."""

    gpus: int


@dataclass(frozen=True, slots=True)
class Free:
    """An object of the cluster's configuration that nothing is charged for."""


@dataclass(frozen=True, slots=True)
class InPool:
    """Describes nodes that are priced with the GPU pool."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else: its price is not known."""

    reason: str


Quantity = GpuNodes | Volume | LoadBalancer | Workload | Free | InPool | Unknown


def classify(resource: Registered) -> Quantity:
    """Tells what a registered resource costs by; never raises."""
    kind, properties = resource.type, resource.properties
    if kind in _FREE:
        return Free()
    if is_pool_resource(kind.removeprefix("kubernetes:")):
        return InPool()
    if properties is None:
        return Unknown("its inputs could not be read")
    rule = _RULES.get(kind)
    return rule(properties) if rule is not None else Unknown("no rule for this type")


def parse_quantity(text: object) -> Decimal | None:
    """Reads a Kubernetes quantity such as "200Gi", in units of one; None for none and below 0."""
    raw = str(text).strip()
    number = raw.rstrip("kKMGTi")
    try:
        value = Decimal(number) * _UNITS[raw[len(number) :]]
    except (DecimalException, KeyError):
        return None
    return value if value.is_finite() and value >= 0 else None


def _gpu_nodes(properties: Mapping[str, object]) -> Quantity:
    kind = POOL_KINDS.get(str(properties.get("kind")))
    return GpuNodes(
        kind.root_volume_class if kind else "",
        _whole(properties.get("nodeVolumeGigabytes")),
    )


def _volume(properties: Mapping[str, object]) -> Quantity:
    size = parse_quantity(_at(properties, "spec", "resources", "requests", "storage"))
    storage_class = _at(properties, "spec", "storageClassName")
    if size is None or not isinstance(storage_class, str):
        return Unknown("its size or storage class is not known at preview")
    # Clouds sell GiB and call them GB.
    return Volume(storage_class, size / 2**30, _instance(properties))


def _service(properties: Mapping[str, object]) -> Quantity:
    spec = properties.get("spec", {})
    service_type = spec.get("type", "ClusterIP") if isinstance(spec, Mapping) else None
    if not isinstance(service_type, str):
        return Unknown("its type is not known at preview")
    return LoadBalancer(_instance(properties)) if service_type == "LoadBalancer" else Free()


def _instance(properties: Mapping[str, object]) -> str:
    return str(_at(properties, "metadata", "labels", "app.kubernetes.io/instance") or "")


def _workload(properties: Mapping[str, object]) -> Quantity:
    gpus = _pod_gpus(_at(properties, "spec", "template", "spec", "containers"))
    if gpus is None:
        return Unknown("its containers are not known at preview")
    return Workload(gpus)


def _groups(properties: Mapping[str, object]) -> Quantity:
    group = _at(properties, "spec", "leaderWorkerTemplate")
    size = _whole(_at(group, "size"))
    leader = _pod_gpus(_at(group, "leaderTemplate", "spec", "containers"))
    worker = _pod_gpus(_at(group, "workerTemplate", "spec", "containers"))
    if leader is None or worker is None:
        return Unknown("its containers are not known at preview")
    return Workload(leader + (size - 1) * worker)


def _pod_gpus(containers: object) -> int | None:
    if not isinstance(containers, Sequence):
        return None
    return sum(
        _whole(_at(container, "resources", "limits", "nvidia.com/gpu")) for container in containers
    )


def _at(value: object, *path: str) -> object:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _whole(value: object) -> int:
    number = parse_quantity(value)
    return int(number) if number is not None else 0


_RULES: Mapping[str, Callable[[Mapping[str, object]], Quantity]] = {
    GPU_POOL: _gpu_nodes,
    "kubernetes:core/v1:PersistentVolumeClaim": _volume,
    "kubernetes:core/v1:Service": _service,
    "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": _groups,
    **dict.fromkeys(_WORKLOADS, _workload),
}
