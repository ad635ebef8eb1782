"""Who can reach whom and what, derived from policies, Services and pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from breakeven.addresses import METADATA, PRIVATE, is_public, network_of
from breakeven.policy.evaluator import (
    ALL_PORTS,
    Opening,
    PortRange,
    Workload,
    openings,
    without,
)
from breakeven.policy.manifest import Resource, at, listed, mapped
from breakeven.policy.rules.network_policies import port_name
from breakeven.policy.selectors import NAMESPACE_LABEL

_DNS = 53
_DNS_NAMESPACE = "kube-system"


@dataclass(frozen=True, slots=True)
class Exit:
    """A connection that leads out of a workload's namespace.

    Attributes:
        workload: The workload.
        to: A network, a namespace, or the name of a host.
        ports: Which ports, as text.
        kind: public, metadata, namespace or dns.
    """

    workload: str
    to: str
    ports: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Reach:
    """One workload reaches another, and on which ports."""

    source: str
    target: str
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reachability:
    """What every workload can reach.

    Attributes:
        workloads: Names of all workloads.
        exits: Connections out of their namespaces.
        lookups: Workloads that use the cluster's DNS.
        reaches: Pairs of workloads; the first reaches the second.
    """

    workloads: tuple[str, ...]
    exits: tuple[Exit, ...]
    lookups: tuple[str, ...]
    reaches: tuple[Reach, ...]

    def as_output(self) -> dict[str, Any]:
        """Returns the matrix as JSON values, in a fixed order."""
        return {
            "workloads": [
                {
                    "name": name,
                    "asksClusterDns": name in self.lookups,
                    "publicAddresses": self._has(name, "public"),
                    "metadataService": self._has(name, "metadata"),
                    "outsideDns": self._has(name, "dns"),
                    "otherNamespaces": [
                        way.to
                        for way in self.exits
                        if (way.workload, way.kind) == (name, "namespace")
                    ],
                    "exits": [
                        {"to": way.to, "ports": list(way.ports), "kind": way.kind}
                        for way in self.exits
                        if way.workload == name
                    ],
                    "reaches": [
                        {"name": reach.target, "ports": list(reach.ports)}
                        for reach in self.reaches
                        if reach.source == name
                    ],
                }
                for name in self.workloads
            ]
        }

    def _has(self, workload: str, kind: str) -> bool:
        return any((way.workload, way.kind) == (workload, kind) for way in self.exits)


def reachability(resources: Sequence[Resource]) -> Reachability:
    """Computes who reaches whom, from everything that a stack registers.

    Policies of other namespaces are not known; they can only restrict more.
    """
    policies = [resource for resource in resources if resource.is_network_policy]
    workloads = workloads_of(resources)
    labels = _namespace_labels(resources, workloads)
    # Evaluated once each, because the number of pairs is large.
    ways_out = [openings(workload, policies, "Egress") for workload in workloads]
    ways_in = [openings(workload, policies, "Ingress") for workload in workloads]
    exits: list[Exit] = []
    lookups: list[str] = []
    reaches: list[Reach] = []
    for workload, out in zip(workloads, ways_out, strict=True):
        exits += _leaving(workload, out)
        if out is not None and any(_asks_cluster_dns(way) for way in out):
            lookups.append(workload.name)
        for other, into in zip(workloads, ways_in, strict=True):
            ports = _shared(
                _towards(out, other, other, labels), _towards(into, workload, other, labels)
            )
            if ports:
                reaches.append(Reach(workload.name, other.name, _texts(ports)))
    exits += _services(resources)
    return Reachability(
        tuple(workload.name for workload in workloads),
        tuple(dict.fromkeys(exits)),
        tuple(lookups),
        tuple(reaches),
    )


def exits_of(resource: Resource, resources: Sequence[Resource]) -> tuple[Exit, ...]:
    """Returns the connections out of one resource's pods, and those that the resource allows.

    Args:
        resource: One of the resources.
        resources: Everything that a stack registers.
    """
    policies = [each for each in resources if each.is_network_policy]
    exits = [
        way
        for workload in workloads_of([resource])
        for way in _leaving(workload, openings(workload, policies, "Egress"))
    ]
    return tuple(dict.fromkeys([*exits, *_services([resource])]))


def workloads_of(resources: Iterable[Resource]) -> tuple[Workload, ...]:
    """Returns the pods of all resources."""
    return tuple(
        Workload(
            resource.reference,
            pod.namespace,
            mapped(pod.labels),
            {
                (str(at(port, "protocol") or "TCP"), str(at(port, "name"))): int(number)
                for container in pod.containers()
                for port in listed(container.spec.get("ports"))
                if (number := port_name(at(port, "containerPort"))).isdecimal()
            },
            pod.spec.get("hostNetwork") is True,
        )
        for resource in resources
        for pod in resource.pods
    )


def _leaving(workload: Workload, ways: Sequence[Opening] | None) -> Iterator[Exit]:
    yield from _open(workload) if ways is None else _exits(workload, ways)


def _open(workload: Workload) -> Iterator[Exit]:
    """Yields the connections of unrestricted pods: to everything."""
    reason = "the host's network" if workload.is_on_host else "everywhere"
    ports = _texts(ALL_PORTS)
    yield Exit(workload.name, reason, ports, "public")
    yield from (Exit(workload.name, str(item), ports, "metadata") for item in METADATA)
    yield Exit(workload.name, "*", ports, "namespace")
    yield Exit(workload.name, "any name server", ports, "dns")


def _exits(workload: Workload, ways: Iterable[Opening]) -> Iterator[Exit]:
    for way in ways:
        # A named port is a port of the listening pod, and an address is not a pod.
        ports = _texts(way.ports)
        for network in way.networks if way.ports else ():
            if any(is_public(part) for part in without(network, PRIVATE)):
                yield Exit(workload.name, str(network), ports, "public")
            for address in METADATA:
                if address in network:
                    yield Exit(workload.name, str(address), ports, "metadata")
            if any(span.holds(protocol, _DNS) for span in way.ports for protocol in ("TCP", "UDP")):
                yield Exit(workload.name, f"name servers in {network}", ports, "dns")
        namespace = way.namespace()
        if namespace not in (None, workload.namespace) and not _asks_cluster_dns(way):
            yield Exit(workload.name, str(namespace), ports, "namespace")


def _asks_cluster_dns(way: Opening) -> bool:
    return (
        way.namespace() == _DNS_NAMESPACE
        and bool(mapped(at(way.peer, "podSelector", "matchLabels")))
        and bool(way.ports)
        and not way.names
        and all(span.low == span.high == _DNS for span in way.ports)
    )


def _shared(out: Iterable[PortRange], into: Sequence[PortRange]) -> tuple[PortRange, ...]:
    """Returns the ports that egress of one side and ingress of the other both allow."""
    shared = (
        PortRange(one.protocol, max(one.low, other.low), min(one.high, other.high))
        for one in out
        for other in into
        if one.protocol == other.protocol
    )
    return tuple(dict.fromkeys(span for span in shared if span.low <= span.high))


def _towards(
    ways: Sequence[Opening] | None,
    other: Workload,
    listening: Workload,
    labels: Mapping[str, Mapping[str, Any]],
) -> tuple[PortRange, ...]:
    if ways is None:
        return ALL_PORTS
    return tuple(
        span
        for way in ways
        if way.meets(other, labels[other.namespace])
        for span in way.ports_of(listening)
    )


def _namespace_labels(
    resources: Iterable[Resource], workloads: Iterable[Workload]
) -> dict[str, dict[str, Any]]:
    labels = {
        resource.name: dict(mapped(at(resource.manifest, "metadata", "labels")))
        for resource in resources
        if resource.kind == "Namespace"
    }
    for workload in workloads:
        labels.setdefault(workload.namespace, {})
    return {name: {**own, NAMESPACE_LABEL: name} for name, own in labels.items()}


def _services(resources: Iterable[Resource]) -> Iterator[Exit]:
    """Yields connections that start at no pod: external names, and addresses behind Services."""
    for resource in resources:
        if resource.kind == "Service" and resource.spec.get("externalName"):
            yield Exit(resource.reference, str(resource.spec["externalName"]), (), "public")
        for address in _endpoints(resource):
            network = network_of(address)
            if network is None:
                yield Exit(resource.reference, str(address), (), "public")
            elif any(found in network for found in METADATA):
                yield Exit(resource.reference, str(address), (), "metadata")
            elif any(is_public(part) for part in without(network, PRIVATE)):
                yield Exit(resource.reference, str(address), (), "public")


def _endpoints(resource: Resource) -> Iterator[Any]:
    if resource.kind == "EndpointSlice":
        for endpoint in listed(resource.manifest.get("endpoints")):
            yield from listed(at(endpoint, "addresses"))
    elif resource.kind == "Endpoints":
        for subset in listed(resource.manifest.get("subsets")):
            for key in ("addresses", "notReadyAddresses"):
                yield from (at(address, "ip") for address in listed(at(subset, key)))


def _texts(ports: Iterable[PortRange]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(span) for span in ports))
