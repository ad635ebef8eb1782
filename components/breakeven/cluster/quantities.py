"""Amounts as Kubernetes writes them, and what a stack asks for at its peak."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from breakeven.cluster.preflight.needs import Needs
from breakeven.manifests.resource import Resource
from breakeven.manifests.serving.labels import ENGINE_LABELS
from breakeven.policy.manifest import Pod, mapped
from breakeven.policy.manifest import Resource as Judged


def quantity(text: object) -> Decimal:
    """Returns an amount such as 22Gi or 250m as a number.

    Raises:
        ValueError: It is not an amount.
    """
    return Decimal(parse_quantity(str(text)))  # type: ignore[no-untyped-call]  # not annotated


def total_of(needs: Needs, namespace: str) -> dict[str, Decimal]:
    """Returns what quotas of a namespace count, at the stack's highest replicas.

    Args:
        needs: What the stack needs.
        namespace: One of its own namespaces.
    """
    total: dict[str, Decimal] = defaultdict(Decimal)
    for resource in needs.resources:
        if resource.namespace != namespace:
            continue
        for pod, replicas in pods_at_peak(needs, resource):
            total["pods"] += replicas
            for key, amount in asked_by(pod).items():
                total[key] += amount * replicas
        if resource.kind == "PersistentVolumeClaim":
            total["persistentvolumeclaims"] += 1
            size = quantity(resource.manifest["spec"]["resources"]["requests"]["storage"])
            total["requests.storage"] += size
    return dict(total)


def pods_at_peak(needs: Needs, resource: Resource) -> Iterator[tuple[Pod, int]]:
    """Yields the pods of a resource, each with how many of them may run at once."""
    device = needs.stack.pool.gpu.device_resource
    pods = Judged(resource.manifest, resource.name, resource.name).pods
    highest = {
        model.name: (model.replicas.max + model.surge_replicas) for model in needs.stack.models
    }
    for pod in pods:
        serves = (
            any(device in requests for requests in _requests(pod, "limits"))
            if device
            else ENGINE_LABELS.items() <= mapped(pod.labels).items()
        )
        if serves:
            name = str(mapped(pod.labels).get("app.kubernetes.io/instance", ""))
            yield pod, highest.get(name, max(highest.values()))
        else:
            yield pod, int(mapped(resource.manifest.get("spec")).get("replicas") or 1)


def asked_by(pod: Pod) -> dict[str, Decimal]:
    """Returns what one pod counts for quotas: cpu, memory and devices of its containers."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for requests, limits in zip(_requests(pod, "requests"), _requests(pod, "limits"), strict=True):
        devices = {name: amount for name, amount in limits.items() if "/" in name}
        # A device that only has a limit is requested, too.
        for name, amount in {**devices, **requests}.items():
            total[f"requests.{name}"] += quantity(amount)
            if name in {"cpu", "memory"}:
                total[name] += quantity(amount)
        for name, amount in limits.items():
            total[f"limits.{name}"] += quantity(amount)
    return dict(total)


def _requests(pod: Pod, kind: str) -> Iterator[Mapping[str, Any]]:
    for container in pod.containers():
        # Init containers run before the others, and ask for less here.
        if container.role == "containers":
            yield mapped(mapped(container.spec.get("resources")).get(kind))
