"""Limits of what a namespace may have, as those set them who run the cluster."""

from __future__ import annotations

from rig.api import Api
from tests.cluster.deploying import NAMESPACE, wait_for

_QUOTAS = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"


def put_quota(api: Api, name: str, hard: dict[str, str]) -> None:
    """Sets a limit, or another one in its place, and waits until it counts."""
    metadata = {"namespace": NAMESPACE, "name": name}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata}
    api.apply({**quota, "spec": {"hard": hard}})
    counted = f"{_QUOTAS}/{name}"
    wait_for("the quota counts", lambda: api.get(counted).get("status", {}).get("hard") == hard)


def lift_quota(api: Api, name: str) -> None:
    """Takes a limit away."""
    api.delete(f"{_QUOTAS}/{name}")
