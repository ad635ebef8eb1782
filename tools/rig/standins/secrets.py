"""Stands in for whoever brings secrets, a person or an operator.

A key that a pod asks for and that nobody has made gets a random value.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from typing import Any

from rig.api import Api

_WORKLOADS = ("/apis/apps/v1/deployments", "/apis/batch/v1/jobs")


def reconcile(api: Api) -> Iterator[str]:
    """Make the secrets that pod templates refer to and that are not there.

    Yields:
        What was done, without the value.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for path in _WORKLOADS:
        for workload in api.items(path):
            if workload["metadata"].get("deletionTimestamp"):
                continue
            for name, key in _references(workload["spec"]["template"]["spec"]):
                wanted.setdefault((workload["metadata"]["namespace"], name), set()).add(key)
    for (namespace, name), keys in wanted.items():
        if api.find(f"/api/v1/namespaces/{namespace}/secrets/{name}") is None:
            api.apply(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"namespace": namespace, "name": name},
                    "data": {
                        key: base64.b64encode(secrets.token_hex(32).encode()).decode()
                        for key in keys
                    },
                }
            )
            yield f"made {namespace}/{name}"


def _references(pod: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for container in pod["containers"]:
        for variable in container.get("env", ()):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield reference["name"], reference["key"]
