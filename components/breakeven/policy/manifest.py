"""Manifests for rules: plain values, and values that are unknown until an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Any, Final

WORKLOADS = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)
"""Kubernetes' own kinds that have pods."""

NAMESPACED_KINDS = frozenset(
    {
        *WORKLOADS,
        "CSIStorageCapacity",
        "ConfigMap",
        "ControllerRevision",
        "EndpointSlice",
        "Endpoints",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Lease",
        "LimitRange",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }
)
"""Built-in kinds that go into the namespace "default" if none is stated."""

ROLES = ("initContainers", "containers", "ephemeralContainers")
"""Lists of containers in a pod's specification."""

_OTHER_LISTS = ("steps", "sidecars")
_OTHER_SINGLE = ("container", "model")
_OWN_GROUPS = ("", "networking.k8s.io", "extensions")


class Unknown:
    """A value that is not known at preview. It passes every rule; the update checks it."""

    def __repr__(self) -> str:
        return "unknown until the update"


UNKNOWN: Final = Unknown()


def at(value: Any, *path: str) -> Any:
    """Returns the value at a path of keys; UNKNOWN below an unknown value, None if missing."""
    for key in path:
        if isinstance(value, Unknown):
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def listed(value: Any) -> Sequence[Any]:
    """Returns a list's entries; none if it is not a list."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return value
    return ()


def mapped(value: Any) -> Mapping[str, Any]:
    """Returns a mapping; an empty one if it is not a mapping."""
    return value if isinstance(value, Mapping) else {}


def has_unknown(value: Any) -> bool:
    """Tells whether anything at or below a value is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, Unknown) or any(has_unknown(item) for item in listed(value))


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields every string below a value with its path, without keys of mappings."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{path}.{key}" if path else str(key))
    else:
        for number, item in enumerate(listed(value)):
            yield from strings(item, f"{path}[{number}]")


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod.

    Attributes:
        path: Where it lies in the resource.
        role: One of ROLES; "containers" for one in another field of a custom kind.
        spec: Its specification.
    """

    path: str
    role: str
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name, or "?" without one."""
        return str(self.spec.get("name", "?"))


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, or the template of pods, inside a resource.

    Attributes:
        path: Where the pod's specification lies in the resource.
        spec: That specification.
        labels: Labels of the pods; UNKNOWN where they are not known yet.
        annotations: Annotations of the pods; UNKNOWN where they are not known yet.
        namespace: Namespace of the pods.
    """

    path: str
    spec: Mapping[str, Any]
    labels: Any
    annotations: Any
    namespace: str

    def containers(self) -> Iterator[Container]:
        """Yields all containers, including init and ephemeral ones, and those of custom kinds.

        Argo Workflows has `container` and `sidecars`, Tekton `steps`, KServe `model`.
        """
        for key in (*ROLES, *_OTHER_LISTS):
            for number, spec in enumerate(listed(self.spec.get(key))):
                if isinstance(spec, Mapping):
                    role = key if key in ROLES else "containers"
                    path = f"{self.path}.{key}" if self.path else key
                    yield Container(f"{path}[{spec.get('name', number)}]", role, spec)
        for key in _OTHER_SINGLE:
            spec = self.spec.get(key)
            if _is_container(spec):
                path = f"{self.path}.{key}" if self.path else key
                yield Container(path, "containers", mapped(spec))


@dataclass(frozen=True)
class Resource:
    """One manifest.

    Attributes:
        manifest: The whole of it.
        source: Where it comes from: a file, or the URN of the program's resource.
        logical_name: Name in the program, for a resource whose name is not known yet.
    """

    manifest: Mapping[str, Any]
    source: str = ""
    logical_name: str = ""

    @property
    def kind(self) -> str:
        """Its kind, such as "Deployment"; empty without one."""
        kind = self.manifest.get("kind")
        return kind if isinstance(kind, str) else ""

    @property
    def group(self) -> str:
        """Its API group, such as "apps"; empty for the core group."""
        version = self.manifest.get("apiVersion")
        return version.rpartition("/")[0] if isinstance(version, str) else ""

    @property
    def name(self) -> str:
        """Its name, or its name in the program if the name is not known."""
        name = at(self.manifest, "metadata", "name")
        return name if isinstance(name, str) else self.logical_name or "?"

    @property
    def namespace(self) -> str:
        """Its namespace; "default" if none is stated, empty if its kind can be cluster-scoped."""
        namespace = at(self.manifest, "metadata", "namespace")
        if isinstance(namespace, str) and namespace:
            return namespace
        if isinstance(namespace, Unknown):
            return "?"
        return "default" if self.kind in NAMESPACED_KINDS else ""

    @property
    def reference(self) -> str:
        """Its name in findings and waivers: KIND/NAMESPACE/NAME, or KIND/NAME."""
        return "/".join(part for part in (self.kind or "?", self.namespace, self.name) if part)

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its specification; empty without one."""
        return mapped(self.manifest.get("spec"))

    @cached_property  # a dozen rules use it, and it searches the whole manifest
    def pods(self) -> tuple[Pod, ...]:
        """Every pod and pod template in it, in unknown kinds as well."""
        return tuple(_pods(self.manifest, "", self.namespace, (None, None)))

    @property
    def is_network_policy(self) -> bool:
        """Whether it is a Kubernetes NetworkPolicy; other projects use the same kind name."""
        return self.kind == "NetworkPolicy" and self.group in _OWN_GROUPS


_SCALARS = (str, int, float, NoneType)  # most values of a manifest, which cannot contain a pod


def _is_container(value: Any) -> bool:
    """Tells whether a single field of a custom kind holds a container."""
    return isinstance(value, Mapping) and (
        isinstance(value.get("image"), str)
        or ("modelFormat" in value and ("args" in value or "storageUri" in value))
    )


def _is_pod(value: Mapping[str, Any]) -> bool:
    return (
        any(isinstance(item, Mapping) for role in ROLES for item in listed(value.get(role)))
        or any(
            isinstance(at(item, "image"), str)
            for key in _OTHER_LISTS
            for item in listed(value.get(key))
        )
        or any(_is_container(value.get(key)) for key in _OTHER_SINGLE)
        # What a custom kind's controller puts into the pods that it makes.
        or any(value.get(key) is True for key in ("hostNetwork", "hostPID", "hostIPC"))
    )


def _pods(value: Any, path: str, namespace: str, metadata: tuple[Any, Any]) -> Iterator[Pod]:
    """Yields every pod below a value; `metadata` has its labels and annotations."""
    if isinstance(value, Mapping):
        if _is_pod(value):
            yield Pod(path, value, *metadata, namespace)
        own = (at(value, "metadata", "labels"), at(value, "metadata", "annotations"))
        for key, item in value.items():
            if not isinstance(item, _SCALARS):
                below = f"{path}.{key}" if path else str(key)
                yield from _pods(item, below, namespace, own if key == "spec" else (None, None))
    else:
        for number, item in enumerate(listed(value)):
            yield from _pods(item, f"{path}[{number}]", namespace, (None, None))


@dataclass(frozen=True, slots=True)
class Carried:
    """The contents of a bundle's lock.

    Attributes:
        image_digests: Digests of its images.
        model_revision: Commit of its model.
    """

    image_digests: frozenset[str]
    model_revision: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that is checked together, and what is inside the boundary.

    Attributes:
        resources: All manifests.
        registries: Hosts, with or without a path, that images can come from; if empty, any named
            host.
        carried: The contents of the bundle's lock; None without a lock.
    """

    resources: tuple[Resource, ...]
    registries: tuple[str, ...] = ()
    carried: Carried | None = None

    def of(self, *kinds: str) -> Iterator[Resource]:
        """Yields the resources of some kinds."""
        return (resource for resource in self.resources if resource.kind in kinds)
