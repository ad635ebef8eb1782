"""Custom resource definitions: there, served, and with the fields that the stack sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.errors import ForbiddenError
from breakeven.cluster.preflight.add_ons import METRICS_SERVER, AddOn, add_on_of, named
from breakeven.cluster.preflight.check import Check, Probe
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown
from breakeven.cluster.preflight.needs import Needs
from breakeven.manifests.resource import Resource
from breakeven.policy.manifest import at, listed

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_BUILT_IN = frozenset(
    {
        *("apps", "autoscaling", "batch", "policy"),
        *("networking.k8s.io", "storage.k8s.io", "rbac.authorization.k8s.io"),
    }
)


def is_custom(resource: Resource) -> bool:
    """Tells whether a kind is not Kubernetes' own."""
    group, slash, _ = str(resource.manifest["apiVersion"]).partition("/")
    return bool(slash) and group not in _BUILT_IN


def _of_group(needs: Needs, group: str) -> AddOn | None:
    return add_on_of(group, needs.stack.pool.kind.cloud)


def _fix(needs: Needs, group: str) -> str:
    add_on = _of_group(needs, group)
    return f"install the operator that serves {group}" if add_on is None else add_on.command


def _definitions(probe: Probe) -> Iterator[Finding]:
    kinds: dict[tuple[str, str, str], list[Resource]] = {}
    for resource in filter(is_custom, probe.needs.resources):
        place = resource.context, str(resource.manifest["apiVersion"]), resource.kind
        kinds.setdefault(place, []).append(resource)
    for (context, version, kind), resources in kinds.items():
        cluster = probe.clusters[context]
        group = version.partition("/")[0]
        known = cluster.kinds(version).get(kind)
        if known is None:
            yield failed(_missing(cluster, version, kind), _fix(probe.needs, group))
        else:
            yield _fields(cluster, version, f"{known['name']}.{group}", resources, probe.needs)


def _missing(cluster: Cluster, version: str, kind: str) -> str:
    """Says how much of a definition is missing."""
    group = version.partition("/")[0]
    served = cluster.find(f"/apis/{group}")
    if served is None:
        return f"missing definition of {kind} ({version})"
    versions = [str(each["version"]) for each in listed(served.get("versions"))]
    if version.partition("/")[2] not in versions:
        return f"{kind}: the cluster serves {group} in {', '.join(versions)}, not in {version}"
    return f"{group} is partly installed: missing definition of {kind} ({version})"


def _fields(
    cluster: Cluster, version: str, name: str, resources: list[Resource], needs: Needs
) -> Finding:
    group, _, short = version.partition("/")
    kind = resources[0].kind
    try:
        definition = cluster.find(f"{_DEFINITIONS}/{name}")
    except ForbiddenError:
        return unknown(
            f"{kind} ({version}) exists; its fields cannot be read",
            f"needs permission to get customresourcedefinitions/{name}",
        )
    if definition is None:  # deleted a moment ago, and still served
        return failed(f"missing definition of {kind} ({version})", _fix(needs, group))
    conditions = {each["type"]: each for each in listed(at(definition, "status", "conditions"))}
    if conditions.get("Established", {}).get("status") != "True":
        return failed(f"the definition {name} is not established", _fix(needs, group))
    served = {each["name"]: each for each in definition["spec"]["versions"]}
    schema = served[short].get("schema", {}).get("openAPIV3Schema", {})
    absent = sorted({path for each in resources for path in absent_fields(each.manifest, schema)})
    if not absent:
        return passed(f"{kind} ({version}) has all fields that the stack sets")
    add_on = _of_group(needs, group)
    oldest = {add_on.fields[path] for path in absent if path in add_on.fields} if add_on else set()
    since = f"; needed: {add_on.name} {max(oldest)} or newer" if add_on and oldest else ""
    return failed(f"{kind} ({version}) lacks {', '.join(absent)}{since}", _fix(needs, group))


def absent_fields(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yields the fields of a manifest that a definition's schema does not have, by path.

    Args:
        value: The manifest, or a part of it.
        schema: OpenAPI v3 schema of that part; its metadata is the API server's own.
        path: Where the part lies.
    """
    if isinstance(value, list):
        for item in value:
            yield from absent_fields(item, schema.get("items", {}), path)
    if not isinstance(value, Mapping):
        return
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    open_ended = others or schema.get("x-kubernetes-preserve-unknown-fields") or not properties
    for key, item in value.items():
        below = f"{path}.{key}" if path else str(key)
        if below in {"apiVersion", "kind", "metadata"}:
            continue
        if key in properties or isinstance(others, Mapping):
            yield from absent_fields(item, properties.get(key, others), below)
        elif not open_ended:
            yield below


def _services(probe: Probe) -> Iterator[Finding]:
    for group in _groups(probe.needs):
        add_on = _of_group(probe.needs, group)
        if add_on is not None and add_on.api_service:
            yield _answers(probe.cluster, add_on)


def _answers(cluster: Cluster, add_on: AddOn) -> Finding:
    """Says whether the API that an add-on serves beside Kubernetes' own is available."""
    service = cluster.find(f"/apis/apiregistration.k8s.io/v1/apiservices/{add_on.api_service}")
    conditions = listed(at(service, "status", "conditions"))
    available: Mapping[str, Any] = next(
        (each for each in conditions if each["type"] == "Available"), {}
    )
    if service is None:
        return failed(f"{add_on.name}'s API {add_on.api_service} is missing", add_on.command)
    if available.get("status") != "True":
        reason = available.get("reason", "unknown")
        return failed(
            f"{add_on.name}'s API {add_on.api_service} is not available ({reason})",
            f"kubectl get pods -A | grep -i {add_on.name.lower()}; or reinstall: {add_on.command}",
        )
    return passed(f"{add_on.name}'s API {add_on.api_service} is available")


def _scales_by_use(needs: Needs) -> bool:
    """Whether pods are added by the CPU or memory that others use, which metrics-server tells."""
    return any(
        each.kind == "HorizontalPodAutoscaler"
        and any(metric["type"] == "Resource" for metric in each.manifest["spec"]["metrics"])
        for each in needs.resources
    )


def _metrics_server(probe: Probe) -> Iterator[Finding]:
    yield _answers(probe.cluster, named(METRICS_SERVER))


def _groups(needs: Needs) -> list[str]:
    return sorted(
        {
            str(each.manifest["apiVersion"]).partition("/")[0]
            for each in needs.resources
            if is_custom(each) and not each.context
        }
    )


def _has_service(needs: Needs) -> bool:
    found = (_of_group(needs, group) for group in _groups(needs))
    return any(add_on is not None and add_on.api_service for add_on in found)


CHECKS = (
    Check(
        id="definitions",
        asks="custom resource definitions that the stack needs (KEDA, Prometheus operator, "
        "Karpenter, LeaderWorkerSet, Gateway API, cert-manager, …), with their version and "
        "every field that the stack sets",
        applies=lambda needs: any(map(is_custom, needs.resources)),
        run=_definitions,
    ),
    Check(
        id="scaler",
        asks="whether KEDA serves the metrics for scaling",
        applies=_has_service,
        run=_services,
    ),
    Check(
        id="metrics-server",
        asks="whether metrics-server, or what serves the same API, tells the CPU by which the "
        "gateway's pods are scaled",
        applies=_scales_by_use,
        run=_metrics_server,
    ),
)
