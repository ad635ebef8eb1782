"""Variables that containers take from ConfigMaps in the same set of manifests."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from breakeven.policy.manifest import Resource, at, listed, mapped, strings
from breakeven.policy.remediation import with_containers

_Data: TypeAlias = Mapping[tuple[str, str], Mapping[str, Any]]


def with_config_maps(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Returns the resources with variables from ConfigMaps among them written out as values.

    Other references stay references, which rules treat as unknown.

    Args:
        resources: All manifests that are checked together.
    """
    known = tuple(resources)
    data = {
        (resource.namespace, resource.name): mapped(resource.manifest.get("data"))
        for resource in known
        if resource.kind == "ConfigMap"
    }
    if not data:
        return known
    return tuple(_written_out(resource, data) for resource in known)


def config_texts(resource: Resource, *sections: str) -> Iterator[tuple[str, str]]:
    """Yields the texts of a ConfigMap with their paths; binary ones where they are text.

    Args:
        resource: Any; other kinds have none.
        sections: "data" and "binaryData".
    """
    for section in sections if resource.kind == "ConfigMap" else ():
        for path, text in strings(resource.manifest.get(section), section):
            yield path, text if section == "data" else _decoded(text)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return ""


def _written_out(resource: Resource, data: _Data) -> Resource:
    if not any(
        container.spec.get("envFrom")
        or any(_key_of(entry) for entry in listed(container.spec.get("env")))
        for pod in resource.pods
        for container in pod.containers()
    ):
        return resource
    manifest = with_containers(
        resource.manifest, lambda container: _container(container, resource.namespace, data)
    )
    return Resource(manifest, resource.source, resource.logical_name)


def _container(spec: Mapping[str, Any], namespace: str, data: _Data) -> Mapping[str, Any]:
    stated = spec.get("env")
    if stated is not None and not isinstance(stated, list | tuple):
        return spec
    variables: list[Any] = []
    left: list[Any] = []
    for source in listed(spec.get("envFrom")):
        found = data.get((namespace, str(at(source, "configMapRef", "name"))))
        if found is None:
            left.append(source)
        else:
            prefix = str(at(source, "prefix") or "")
            variables += [{"name": f"{prefix}{key}", "value": text} for key, text in found.items()]
    # Values in env override those from envFrom.
    variables += [_variable(entry, namespace, data) for entry in listed(stated)]
    return {**spec, "env": variables, "envFrom": left}


def _variable(entry: Any, namespace: str, data: _Data) -> Any:
    reference = _key_of(entry)
    found = data.get((namespace, str(at(reference, "name"))), {}).get(str(at(reference, "key")))
    return entry if found is None else {"name": at(entry, "name"), "value": found}


def _key_of(entry: Any) -> Any:
    return at(entry, "valueFrom", "configMapKeyRef")
