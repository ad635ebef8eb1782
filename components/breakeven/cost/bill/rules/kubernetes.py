"""Kubernetes objects, and the GPU pool that their nodes belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.pool_kinds import POOL_KINDS, is_pool_resource
from breakeven.catalog.storage_classes import storage_class as find_class
from breakeven.cost.bill.charge import (
    Charge,
    Context,
    Driver,
    Part,
    Rule,
    Unpriced,
    UnpricedReason,
    driven,
)
from breakeven.cost.bill.registered import GPU_POOL
from breakeven.cost.bill.rules.values import parse_quantity, value_at, whole_number

_CONFIGURATION = (
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
    "kubernetes:cert-manager.io/v1:Certificate",
    "kubernetes:gateway.networking.k8s.io/v1:BackendTLSPolicy",
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    "kubernetes:inference.networking.k8s.io/v1:InferencePool",
    "kubernetes:monitoring.coreos.com/v1:PodMonitor",
    "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
    "kubernetes:monitoring.coreos.com/v1:ServiceMonitor",
    *(
        f"kubernetes:{kind}"
        for kind in (
            *("admissionregistration.k8s.io/v1:MutatingWebhookConfiguration",),
            *("admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration",),
            *("apiextensions.k8s.io/v1:CustomResourceDefinition",),
            *("apiregistration.k8s.io/v1:APIService", "apps/v1:ControllerRevision"),
            *("autoscaling/v1:HorizontalPodAutoscaler", "autoscaling/v2:HorizontalPodAutoscaler"),
            *("core/v1:Endpoints", "core/v1:LimitRange", "core/v1:PersistentVolume"),
            *("core/v1:ResourceQuota", "networking.k8s.io/v1:IngressClass"),
            *("node.k8s.io/v1:RuntimeClass", "rbac.authorization.k8s.io/v1:ClusterRole"),
            *("rbac.authorization.k8s.io/v1:ClusterRoleBinding",),
            *("scheduling.k8s.io/v1:PriorityClass", "storage.k8s.io/v1:StorageClass"),
        )
    ),
)
_WORKLOADS = (
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:Job",
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:ReplicaSet",
)

_GPUS = re.compile(r"(nvidia|amd)\.com/(gpu|gpu\.shared|mig-\S+)")
"""Resources by which containers ask for whole GPUs, time slices, or instances of MIG."""

_LCU = "-lcu"
"""End of the price of a load balancer's capacity units, by which AWS charges its traffic."""


def is_free(type_token: str) -> bool:
    """Tells whether objects of a type are free whatever their inputs are.

    Those are configuration, and descriptions of nodes that are priced with the pool.
    """
    pool_resource = is_pool_resource(type_token.removeprefix("kubernetes:"))
    return type_token in _CONFIGURATION or pool_resource


def balancer_prices(cloud: str) -> tuple[str, ...]:
    """Returns the identifiers of a load balancer's prices: of a month, and of traffic if any.

    For a cloud of which nothing is known it is load-balancer/CLOUD, which a stack may state.
    """
    return find_cloud(cloud).balancer_prices or (f"load-balancer/{cloud}",)


def _gpu_pool(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    if context.usage is None:
        return (Unpriced(UnpricedReason.OWN_STACK),)
    kind = POOL_KINDS.get(str(properties.get("kind")))
    return context.usage.node_charges(
        kind.root_volume_class if kind else "",
        whole_number(properties.get("nodeVolumeGigabytes")),
    )


def _volume(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    size = parse_quantity(value_at(properties, "spec", "resources", "requests", "storage"))
    storage_class = value_at(properties, "spec", "storageClassName")
    if size is None or not isinstance(storage_class, str):
        return (Unpriced(UnpricedReason.STORAGE_UNKNOWN),)
    smallest = find_class(context.place.cloud, storage_class).smallest_gib
    charge = Charge(
        kind="volume",
        identifier=f"volume/{context.place.cloud}/{storage_class}",
        # Clouds sell GiB and call them GB.
        quantity=max(size / 2**30, Decimal(smallest)),
        unit="GB-month",
        variant=storage_class,
        model=_model_of(properties, context),
    )
    return (charge,)


def _service(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    spec = properties.get("spec", {})
    service_type = spec.get("type", "ClusterIP") if isinstance(spec, Mapping) else None
    if not isinstance(service_type, str):
        return (Unpriced(UnpricedReason.SERVICE_TYPE_UNKNOWN),)
    if service_type != "LoadBalancer":
        return ()
    return tuple(_load_balancer(properties, context))


def _load_balancer(properties: Mapping[str, object], context: Context) -> Iterator[Charge]:
    usage, model = context.usage, _model_of(properties, context)
    month, *traffic = balancer_prices(context.place.cloud)
    yield Charge(
        kind="load-balancer", identifier=month, quantity=Decimal(1), unit="month", model=model
    )
    if usage is None:
        return
    for identifier in traffic:
        # One LCU carries 1 GB an hour; connections and new flows of this traffic are far below it.
        by_capacity = identifier.endswith(_LCU)
        gigabytes = usage.text_gigabytes
        charge = Charge(
            kind="load-balancer-traffic",
            identifier=identifier,
            quantity=gigabytes / usage.hours_per_month if by_capacity else gigabytes,
            unit="LCU-month" if by_capacity else "GB",
            model=model,
        )
        yield driven(charge, Driver.TOKENS, usage.amount_of(Driver.TOKENS, model))


def _model_of(properties: Mapping[str, object], context: Context) -> str:
    return "" if context.usage is None else context.usage.model_of(_instance(properties))


def _instance(properties: Mapping[str, object]) -> str:
    return str(value_at(properties, "metadata", "labels", "app.kubernetes.io/instance") or "")


def _workload(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    gpus = _pod_gpus(value_at(properties, "spec", "template", "spec", "containers"))
    return _pods(gpus, context, value_at(properties, "spec", "replicas"))


def _single_pod(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    return _pods(_pod_gpus(value_at(properties, "spec", "containers")), context)


def _scheduled(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    job = value_at(properties, "spec", "jobTemplate", "spec", "template", "spec", "containers")
    return _pods(_pod_gpus(job), context)


def _ingress(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return (Unpriced(UnpricedReason.INGRESS),)


def _chart(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return (Unpriced(UnpricedReason.CHART),)


def _groups(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    group = value_at(properties, "spec", "leaderWorkerTemplate")
    size = whole_number(value_at(group, "size"))
    leader = _pod_gpus(value_at(group, "leaderTemplate", "spec", "containers"))
    worker = _pod_gpus(value_at(group, "workerTemplate", "spec", "containers"))
    return _pods(
        None if leader is None or worker is None else leader + (size - 1) * worker,
        context,
        value_at(properties, "spec", "replicas"),
    )


def _pods(gpus: int | None, context: Context, replicas: object = None) -> Sequence[Part]:
    """Returns nothing for pods whose nodes are priced: the nodes are what is paid."""
    if not context.has_nodes:
        needs = f"{gpus * max(1, whole_number(replicas))} GPUs" if gpus else ""
        return (Unpriced(UnpricedReason.OTHER_NODES, needs),)
    if gpus is None:
        return (Unpriced(UnpricedReason.CONTAINERS_UNKNOWN),)
    if gpus and context.usage is not None and not context.usage.has_pool:
        return (Unpriced(UnpricedReason.NO_GPU_POOL),)
    return ()


def _pod_gpus(containers: object) -> int | None:
    if not isinstance(containers, Sequence):
        return None
    return sum(
        whole_number(count)
        for container in containers
        if isinstance(limits := value_at(container, "resources", "limits"), Mapping)
        for resource, count in limits.items()
        if _GPUS.fullmatch(str(resource))
    )


RULES: Mapping[str, Rule] = {
    GPU_POOL: _gpu_pool,
    "kubernetes:core/v1:PersistentVolumeClaim": _volume,
    "kubernetes:core/v1:Service": _service,
    "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": _groups,
    "kubernetes:batch/v1:CronJob": _scheduled,
    "kubernetes:core/v1:Pod": _single_pod,
    "kubernetes:helm.sh/v3:Release": _chart,
    "kubernetes:networking.k8s.io/v1:Ingress": _ingress,
    **dict.fromkeys(_WORKLOADS, _workload),
}
