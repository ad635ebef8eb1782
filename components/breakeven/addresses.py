"""Addresses and host names: which lie inside the boundary."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Networks of one's own (RFC 1918, RFC 6598, RFC 4193)."""

METADATA: tuple[Address, ...] = (
    ipaddress.ip_address("169.254.169.254"),
    ipaddress.ip_address("fd00:ec2::254"),
)
"""Where clouds hand a machine's credentials to whoever asks."""

_NOWHERE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10")
)
"""Networks that lead to the machine itself or to its link, and nowhere else."""

_URL = re.compile(
    r"\b([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^\s/:?#'\"`<>\\|,;)}\]]*)", re.IGNORECASE
)
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_CLUSTER_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.svc(\.cluster\.local)?\.?", re.IGNORECASE)
_ONE_LABEL = re.compile(rf"{_LABEL}\.?", re.IGNORECASE)


def network_of(text: Any) -> Network | None:
    """Reads a CIDR; None where it is none."""
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None


def is_inside(network: Network) -> bool:
    """Tells whether a network is wholly one's own."""
    return any(
        network.version == own.version and network.subnet_of(own)  # type: ignore[arg-type]  # same version is asserted on the left
        for own in PRIVATE
    )


def is_public(network: Network) -> bool:
    """Tells whether any address of a network lies neither inside nor on the machine's own link.

    Multicast and reserved networks count as public, because nothing here needs them.
    """
    return not any(
        network.version == nowhere.version and network.subnet_of(nowhere)  # type: ignore[arg-type]  # as above
        for nowhere in (*_NOWHERE, *PRIVATE)
    )


def is_of_a_machine(address: Address) -> bool:
    """Tells whether another machine may have an address, beside the metadata service."""
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved  # of IPv6 those that stand for IPv4 as well
        or address in METADATA
    )


def outside_addresses(text: str, allowed: Iterable[str]) -> Iterator[str]:
    """Yields each address with a scheme in a text whose host is outside the boundary.

    Inside are loopback, private addresses, names of the cluster (NAME.NAMESPACE.svc, or a single
    word), and the hosts that are allowed.
    """
    hosts = {entry.partition("/")[0].lower() for entry in allowed}
    names = {host.rpartition(":")[0] or host for host in hosts}
    for scheme, host in _URL.findall(text):
        # What stands before an @ is a user, and what a browser shows first.
        name = host.rpartition("@")[2].lower()
        if name not in names and name not in hosts and not _is_inside_host(name):
            yield f"{scheme}://{host}"


def _is_inside_host(host: str) -> bool:
    if not host or host == "localhost" or host.startswith(("$", "{")):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bool(_CLUSTER_NAME.fullmatch(host) or _ONE_LABEL.fullmatch(host))
    network = ipaddress.ip_network(address)
    return (address.is_loopback or is_inside(network)) and address not in METADATA
