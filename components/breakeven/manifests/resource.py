"""Kubernetes resources as plain data, and the components that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any


class LazyManifest(Mapping[str, Any]):
    """A manifest that is rendered only when more than its kind is read.

    An estimate prices alert rules and dashboards by their kind; rendering them would take a tenth
    of its time.

    Args:
        api_version: Its apiVersion.
        kind: Its kind.
        render: Returns the whole manifest, including these two; called at most once.
    """

    def __init__(
        self, api_version: str, kind: str, render: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._head = {"apiVersion": api_version, "kind": kind}
        self._render = render

    @cached_property
    def _whole(self) -> Mapping[str, Any]:
        return self._render()

    def __getitem__(self, key: str) -> Any:
        return self._head[key] if key in self._head else self._whole[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A manifest, and how the engine registers it.

    Attributes:
        name: Name in the program. It is a part of the URN: another name is another resource.
        manifest: The object for the API server, with Kubernetes' field names.
        depends_on: Keys of the resources that must be ready first, in addition to the namespace.
        timeout_seconds: How long a create or an update may take until it is ready; the engine's
            own limit where None.
        context: Context of the kubeconfig whose cluster it belongs to; the stack's own where empty.
    """

    name: str
    manifest: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    timeout_seconds: int | None = None
    context: str = ""

    @property
    def kind(self) -> str:
        """Kubernetes' kind."""
        return str(self.manifest["kind"])

    @property
    def type(self) -> str:
        """Pulumi's type token, such as "kubernetes:core/v1:Service"."""
        version = str(self.manifest["apiVersion"])
        # The group is "core" where Kubernetes writes none.
        group_version = version if "/" in version else f"core/{version}"
        return f"kubernetes:{group_version}:{self.kind}"

    @property
    def key(self) -> str:
        """Kind and name in the program, such as "Deployment/model"; unique in a stack."""
        return f"{self.kind}/{self.name}"

    @property
    def namespace(self) -> str | None:
        """Its namespace; None for cluster-wide resources."""
        namespace: str | None = self.manifest["metadata"].get("namespace")
        return namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Resources that belong together.

    Attributes:
        type: Pulumi's type token. It is a part of the URN of every resource in it.
        name: Name in the program.
        inputs: Inputs that determine size and price, for the cost module and policies.
        resources: In the order in which they are registered.
        namespace: The namespace that its resources wait for; None if they do not wait.
        started_last: Registered once all other components of the stack are ready.
        outputs: Its outputs for the program.
    """

    type: str
    name: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    namespace: str | None = None
    started_last: tuple[Resource, ...] = ()
    outputs: Mapping[str, object] = field(default_factory=dict)


def whole(component: Component) -> Component:
    """Returns a component whose manifests are rendered and plain, so that it can be pickled."""
    return replace(
        component,
        inputs=_plain(component.inputs),
        resources=tuple(map(_whole, component.resources)),
        started_last=tuple(map(_whole, component.started_last)),
        outputs=_plain(component.outputs),
    )


def _whole(resource: Resource) -> Resource:
    return replace(resource, manifest=_plain(resource.manifest))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields that have a value; the API server fills in the others."""
    return {name: value for name, value in fields.items() if value is not None}


def with_namespace(manifest: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Returns a manifest with its namespace set."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
