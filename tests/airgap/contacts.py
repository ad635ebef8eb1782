"""Reads a trace of system calls: whom did a program, or any that it started, try to reach?"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

CALLS = "connect,sendto,sendmsg,sendmmsg"
"""Every way to reach another machine: to open a connection, or to send without one."""

DNS_PORT = 53

_ADDRESS = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\).*?"
    r'(?:inet_addr\("(?P<four>[^"]+)"\)|inet_pton\(AF_INET6, "(?P<six>[^"]+)")'
)


@dataclass(frozen=True, order=True)
class Contact:
    """An address and port that something tried to reach, whether it answered or not."""

    address: str
    port: int

    @property
    def is_outside(self) -> bool:
        """Anything but this machine itself; and a question to a DNS server, wherever it listens."""
        address = ipaddress.ip_address(self.address)
        mapped = getattr(address, "ipv4_mapped", None) or address
        return not mapped.is_loopback or self.port == DNS_PORT


def contacts(trace: str) -> Iterator[Contact]:
    """Yields every contact by internet protocol in the output of strace."""
    for match in _ADDRESS.finditer(trace):
        yield Contact(match["four"] or match["six"], int(match["port"]))
