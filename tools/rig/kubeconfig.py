"""The file with which clients find the cluster and prove who they are."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path

import yaml

CONTEXT = "breakeven-rig"


def write(
    file: Path,
    address: str,
    certificates: Path,
    *,
    user: str = "admin",
    further: Iterable[str] = (),
) -> None:
    """Write a kubeconfig of one user, which holds all that it needs.

    Args:
        file: Where to.
        address: https://HOST:PORT of the API server.
        certificates: The folder with ca.crt, and certificate and key of the user.
        user: File name of these two; the administrator's by default.
        further: Names of contexts that lead to this cluster, too.
    """
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "contexts": [
            {"name": name, "context": {"cluster": CONTEXT, "user": CONTEXT}}
            for name in (CONTEXT, *further)
        ],
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": address,
                    "certificate-authority-data": _encoded(certificates / "ca.crt"),
                },
            }
        ],
        "users": [
            {
                "name": CONTEXT,
                "user": {
                    "client-certificate-data": _encoded(certificates / f"{user}.crt"),
                    "client-key-data": _encoded(certificates / f"{user}.key"),
                },
            }
        ],
    }
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as writer:
        yaml.safe_dump(config, writer)


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
