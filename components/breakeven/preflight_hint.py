"""Reminds of `breakeven preflight` where a cluster is reachable and nobody has asked it.

`pulumi preview` needs no cluster, so what is missing there shows at `pulumi up` only. The hint
costs a preview one connection in a thread of its own, and is left out where that takes longer.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 0.3
_LARGEST_BYTES = 1 << 20


def remember(stack: str, address: str) -> None:
    """Notes that preflight has looked at a cluster for a stack, as far as a file can be made."""
    mark = _mark(stack, address, os.environ)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:
        return


class Hint:
    """Looks in the background whether a hint is due.

    Args:
        stack: Name of the stack.
        environment: Where KUBECONFIG and HOME are.
    """

    def __init__(self, stack: str, environment: Mapping[str, str] = os.environ) -> None:
        self._stack = stack
        self._environment = environment
        self._text = ""
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Returns the hint; empty where none is due, or where it is not known yet."""
        self._thread.join(timeout=0)
        return self._text

    def _look(self) -> None:
        found = _current(self._environment)
        if found is None:
            return
        context, address = found
        if _mark(self._stack, address, self._environment).exists() or not _answers(address):
            return
        self._text = (
            f"A cluster is reachable (context {context}). To check that it has what this stack "
            f"needs: breakeven preflight {self._stack}"
        )


def _mark(stack: str, address: str, environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_STATE_HOME") or f"{environment.get('HOME', '')}/.local/state"
    digest = hashlib.sha256(f"{stack}\n{address}".encode()).hexdigest()[:16]
    return Path(home) / "breakeven" / "preflight" / digest


def _current(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Returns the current context and its API server's address; None where there is none."""
    files = environment.get("KUBECONFIG") or f"{environment.get('HOME', '')}/.kube/config"
    path = Path(files.split(os.pathsep)[0])
    if not path.is_file():
        return None
    import yaml  # noqa: PLC0415  # the program loads it for this alone

    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return None
        config = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)  # safe
        name = config["current-context"]
        contexts = {each["name"]: each["context"] for each in config["contexts"]}
        servers = {each["name"]: each["cluster"]["server"] for each in config["clusters"]}
        address = urlsplit(servers[contexts[name]["cluster"]])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None
    host = address.netloc.rpartition("@")[2]
    return str(name), f"{address.scheme}://{host}{address.path.rstrip('/')}"


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), _PATIENCE_SECONDS):
            return True
    except OSError:
        return False
