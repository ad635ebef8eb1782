"""A stand-in for the cluster's name server: loads itself into the gateway's process.

CLUSTER_NAMES is a file of "NAME ADDRESS" lines; a name of the cluster that it lacks has no address.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

_real = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    if not str(host).endswith(".svc"):
        return _real(host, port, *arguments, **options)
    lines = Path(os.environ["CLUSTER_NAMES"]).read_text(encoding="utf-8").splitlines()
    addresses = [address for name, address in map(str.split, lines) if name == host]
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, f"no address: {host}")
    return [entry for one in addresses for entry in _real(one, port, *arguments, **options)]


socket.getaddrinfo = _getaddrinfo
