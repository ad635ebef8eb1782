"""Who may do what: accounts, roles, bindings, and the Secrets that pods refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.cost.bill.registered import Registered
from breakeven.policy.loading import as_manifests

_RBAC = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")


def access_listing(resources: Sequence[Registered]) -> dict[str, Any]:
    """Returns every account, role and binding, how each pod runs, and which Secrets it reads.

    Secrets appear by name and key; no value of any is known here.
    """
    return {
        "accounts": [
            {"name": _name(resource), "mountsToken": _mounts_token(_properties(resource))}
            for resource in resources
            if _kind(resource) == "ServiceAccount"
        ],
        "roles": [_role(resource) for resource in resources if _kind(resource) in _RBAC],
        "pods": [pod for resource in resources for pod in _pods(resource)],
    }


def _kind(resource: Registered) -> str:
    return resource.type.rpartition(":")[2]


def _properties(resource: Registered) -> Mapping[str, Any]:
    return resource.properties or {}


def _name(resource: Registered) -> str:
    metadata = _properties(resource).get("metadata") or {}
    return str(metadata.get("name") or resource.name)


def _role(resource: Registered) -> dict[str, Any]:
    properties = _properties(resource)
    kept = {key: properties[key] for key in ("rules", "roleRef", "subjects") if key in properties}
    return {"kind": _kind(resource), "name": _name(resource), **kept}


def _pods(resource: Registered) -> Iterator[dict[str, Any]]:
    manifests = as_manifests(resource.type, resource.name, _properties(resource), "")
    for pod in (pod for manifest in manifests for pod in manifest.pods):
        yield {
            "workload": f"{_kind(resource)}/{_name(resource)}",
            "account": str(pod.spec.get("serviceAccountName", "default")),
            "mountsToken": _mounts_token(pod.spec),
            "user": _number((pod.spec.get("securityContext") or {}).get("runAsUser")),
            "secrets": sorted(set(_secrets(pod.spec))),
        }


def _number(value: object) -> int | None:
    """The wire makes floats of whole numbers."""
    return int(value) if isinstance(value, int | float) else None


def _mounts_token(properties: Mapping[str, Any]) -> bool:
    """Kubernetes mounts one by default."""
    return properties.get("automountServiceAccountToken") is not False


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("secretKeyRef")
        if isinstance(reference, Mapping):
            yield f"{reference.get('name')}/{reference.get('key')}"
        if isinstance(value.get("secretName"), str):
            yield str(value["secretName"])
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _secrets(item)
