"""Addresses and host names: which lie inside the boundary."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Private networks (RFC 1918, RFC 6598, RFC 4193)."""

METADATA: tuple[Address, ...] = tuple(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, OpenStack and others
        "fd00:ec2::254",  # AWS by IPv6 (EC2 User Guide, "Access instance metadata")
        "fd20:ce::254",  # Google by IPv6 (Compute Engine, "About VM metadata")
        "169.254.170.2",  # credentials of a task (Amazon ECS, "Task IAM role")
        "169.254.170.23",  # credentials of a pod (Amazon EKS, "EKS Pod Identity")
        "fd00:ec2::23",  # the same by IPv6
        "168.63.129.16",  # Azure's platform (Azure Virtual Network, "What is 168.63.129.16?")
        "192.0.0.192",  # Oracle, older images (OCI Compute, "Instance Metadata")
        "100.100.100.200",  # Alibaba (ECS User Guide, "Instance metadata")
    )
)
"""Where clouds hand a machine's or pod's credentials to whoever asks."""

_NOWHERE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10")
)
"""Networks that lead to the machine itself or to its link, and nowhere else."""

_WORD = r"[^\s/?#'\"`<>\\|,;)}\[\]]*"
_AUTHORITY = rf"((?:{_WORD}@)?\[[0-9a-f:.]+\](?::\d*)?|{_WORD})"
_URL = re.compile(rf"(?:\b([a-z][a-z0-9+.-]*):|(?<![\w:/\\]))[/\\]{{2}}{_AUTHORITY}", re.IGNORECASE)
# Clients of HTTP take one slash, three, or backslashes for two.
_LOOSE = re.compile(
    rf"\b(https?|wss?|ftp):(?:[/\\](?![/\\])|[/\\]{{3,}}){_AUTHORITY}", re.IGNORECASE
)
_PORT = re.compile(r":\d*$")
_PLAIN_IP = re.compile(
    r"(?<![\w./@:-])(\d{1,3}(?:\.\d{1,3}){3}(?=:\d|/(?!\d)|$)|\[[0-9a-f:.]+\](?=:\d|/))",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?<![\w./@:-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+)(?=:\d|/)",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_FILE_ENDINGS = frozenset(
    {"conf", "crt", "json", "jinja", "key", "log", "pem", "py", "safetensors", "sh", "so", "toml"}
    | {"txt", "yaml", "yml"}
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
    """Tells whether another machine may have an address; the metadata service does not count."""
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
    # Parsers drop what a person does not see.
    text = _UNSEEN.sub("", text)
    found = [*_URL.findall(text), *_LOOSE.findall(text)]
    for scheme, authority in found:
        # What stands before an @ is a user, and what a browser shows first.
        host = _PORT.sub("", authority.rpartition("@")[2])
        name = unicodedata.normalize("NFKC", host).lower()
        if name not in names and name not in hosts and not _is_inside_host(name):
            yield f"{scheme}{'://' if scheme else '//'}{host}"


def outside_hosts(text: str, allowed: Iterable[str], namespaces: Iterable[str]) -> Iterator[str]:
    """Yields each host without scheme in a word of a command line or the value of a variable.

    A name is recognized by what follows it: a port or a path. Names of files and Python modules
    have neither, and a word that begins like a path has no host. An IPv4 address may end the text.

    Args:
        text: A word, or several.
        allowed: Hosts inside the boundary, with or without port and path.
        namespaces: Names of namespaces: NAME.NAMESPACE is a name of the cluster.
    """
    names = {entry.partition("/")[0].partition(":")[0].lower() for entry in allowed}
    inside = set(namespaces)
    for host in [*_BARE.findall(text), *_PLAIN_IP.findall(text)]:
        name = host.lower().rstrip(".")
        last = name.rpartition(".")[2]
        is_file = last in _FILE_ENDINGS
        if name not in names and last not in inside and not is_file and not _is_inside_host(name):
            yield host


def _address(host: str) -> Address:
    """Reads an address in any spelling that a resolver takes: 134744072 and 0x08080808 as well."""
    if _ANY_NUMBER.fullmatch(host):
        try:
            return ipaddress.ip_address(socket.inet_aton(host))
        except OSError as error:
            raise ValueError(host) from error
    return ipaddress.ip_address(host)


def _is_inside_host(host: str) -> bool:
    if not host or host == "localhost" or host.startswith(("$", "{")):
        return True
    try:
        address = _address(host.strip("[]"))
    except ValueError:
        return bool(_CLUSTER_NAME.fullmatch(host) or _ONE_LABEL.fullmatch(host))
    network = ipaddress.ip_network(address)
    own = address.is_loopback or address.is_unspecified or is_inside(network)
    return own and address not in METADATA
