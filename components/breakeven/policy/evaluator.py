"""What network policies allow, by Kubernetes' rules.

Without a policy that selects it for a direction, a pod has no restriction in that direction. A
selected pod can do what any of its policies allows, and nothing else. Addresses are computed as
whole networks rather than probed, so "nothing public" holds for every address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from breakeven.addresses import PRIVATE, Network, network_of
from breakeven.policy.manifest import Resource, at, listed, mapped
from breakeven.policy.rules.network_policies import directions, peers, port_name
from breakeven.policy.selectors import NAMESPACE_LABEL, matches

EVERYWHERE: tuple[Network, ...] = (
    ipaddress.ip_network("0.0.0.0/0"),
    ipaddress.ip_network("::/0"),
)
PROTOCOLS = ("TCP", "UDP", "SCTP")
_HIGHEST = 65_535


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports of one protocol; `low` and `high` are included."""

    protocol: str
    low: int
    high: int

    def __str__(self) -> str:
        if (self.low, self.high) == (1, _HIGHEST):
            return f"all {self.protocol}"
        span = str(self.low) if self.low == self.high else f"{self.low}-{self.high}"
        return f"{span}/{self.protocol}"

    def holds(self, protocol: str, port: int) -> bool:
        """Tells whether a port is included."""
        return self.protocol == protocol and self.low <= port <= self.high


ALL_PORTS = tuple(PortRange(protocol, 1, _HIGHEST) for protocol in PROTOCOLS)


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of one resource.

    Attributes:
        name: KIND/NAMESPACE/NAME of the resource.
        namespace: Their namespace.
        labels: Their labels.
        ports: Numbers of their named ports, by protocol and name.
        is_on_host: Whether they use the host's network, to which policies do not apply.
    """

    name: str
    namespace: str
    labels: Mapping[str, Any]
    ports: Mapping[tuple[str, str], int]
    is_on_host: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What one rule allows: ports, to networks or to pods.

    Attributes:
        networks: Networks, with exceptions cut out.
        peer: Selectors of pods; None for networks.
        home: Namespace of the policy, which applies to a peer without namespace selector.
        ports: Which ports; a named port is that of the pod that has it.
        names: Names of ports, with their protocol.
    """

    networks: tuple[Network, ...]
    peer: Mapping[str, Any] | None
    home: str
    ports: tuple[PortRange, ...]
    names: tuple[tuple[str, str], ...]

    def ports_of(self, owner: Workload) -> tuple[PortRange, ...]:
        """Returns the ports, with names resolved by the listening pod."""
        found = [(name[0], owner.ports[name]) for name in self.names if name in owner.ports]
        return (*self.ports, *(PortRange(protocol, port, port) for protocol, port in found))

    def meets(self, other: Workload, namespace_labels: Mapping[str, Any]) -> bool:
        """Tells whether a pod matches. It can match a network that contains pod addresses."""
        if self.peer is None:
            return any(network.overlaps(own) for network in self.networks for own in PRIVATE)
        if "namespaceSelector" in self.peer:
            if not matches(self.peer["namespaceSelector"], namespace_labels):
                return False
        elif other.namespace != self.home:
            return False
        return matches(self.peer.get("podSelector"), other.labels)

    def namespace(self) -> str | None:
        """Returns the namespace of the matching pods, "*" for any; None for networks."""
        if self.peer is None:
            return None
        if "namespaceSelector" not in self.peer:
            return self.home
        name = at(self.peer, "namespaceSelector", "matchLabels", NAMESPACE_LABEL)
        return name if isinstance(name, str) else "*"


def openings(
    workload: Workload, policies: Sequence[Resource], direction: str
) -> tuple[Opening, ...] | None:
    """Returns what pods can do in a direction; None if no policy restricts them."""
    if workload.is_on_host:
        return None
    selecting = [
        policy
        for policy in policies
        if policy.namespace == workload.namespace
        and direction in directions(policy)
        and matches(policy.spec.get("podSelector"), workload.labels)
    ]
    if not selecting:
        return None
    side = direction.lower()
    return tuple(
        opening
        for policy in selecting
        for rule in listed(policy.spec.get(side))
        if isinstance(rule, Mapping)
        for opening in _of_rule(policy, side, rule)
    )


def without(network: Network, exceptions: Iterable[Network]) -> tuple[Network, ...]:
    """Returns a network minus other networks."""
    left = [network]
    for cut in exceptions:
        left = [piece for part in left for piece in _cut(part, cut)]
    return tuple(left)


def _cut(part: Network, cut: Network) -> Iterator[Network]:
    if part.version != cut.version or not part.overlaps(cut):
        yield part
    elif cut.prefixlen > part.prefixlen:
        yield from part.address_exclude(cut)  # type: ignore[arg-type]  # of the same version


def _of_rule(policy: Resource, side: str, rule: Mapping[str, Any]) -> Iterator[Opening]:
    ports, names = _ports(listed(rule.get("ports")))
    named = peers(side, rule)
    if not named:
        yield Opening(EVERYWHERE, None, policy.namespace, ports, names)
        yield Opening((), {"namespaceSelector": {}}, policy.namespace, ports, names)
    for peer in named:
        block = at(peer, "ipBlock")
        if block is None:
            yield Opening((), mapped(peer), policy.namespace, ports, names)
            continue
        whole = network_of(at(block, "cidr"))
        cuts = [network_of(entry) for entry in listed(at(block, "except"))]
        left = () if whole is None else without(whole, [cut for cut in cuts if cut is not None])
        yield Opening(left, None, policy.namespace, ports, names)


def _ports(
    stated: Sequence[Any],
) -> tuple[tuple[PortRange, ...], tuple[tuple[str, str], ...]]:
    if not stated:
        return ALL_PORTS, ()
    ranges: list[PortRange] = []
    names: list[tuple[str, str]] = []
    for entry in stated:
        protocol = str(at(entry, "protocol") or "TCP")
        port = at(entry, "port")
        if port is None:
            ranges.append(PortRange(protocol, 1, _HIGHEST))
        elif (number := port_name(port)).isdecimal():
            last = port_name(at(entry, "endPort") or port)
            # Kubernetes rejects any other value; its possible meaning is treated as everything
            # above.
            highest = int(last) if last.isdecimal() else _HIGHEST
            ranges.append(PortRange(protocol, int(number), highest))
        else:
            names.append((protocol, number))
    return tuple(ranges), tuple(names)
