"""What happens to machines: they fall silent, come back, vanish, or are taken away by the cloud."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from breakeven.manifests.serving.labels import ENGINE_LABELS
from rig.api import Api
from rig.cluster import Rig
from tests.cluster.deploying import NAMESPACE

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
_SELECTOR = ",".join(f"{key}={value}" for key, value in ENGINE_LABELS.items())
_CAPACITY = "karpenter.sh/capacity-type"


def replicas(api: Api) -> dict[str, str]:
    """Returns the nodes of the replicas that are not being stopped, by pod."""
    return {
        pod["metadata"]["name"]: pod["spec"].get("nodeName", "")
        for pod in _pods(api)
        if "deletionTimestamp" not in pod["metadata"]
    }


def unschedulable(api: Api) -> set[str]:
    """Returns the pods for which the scheduler finds no node."""
    return {
        pod["metadata"]["name"]
        for pod in _pods(api)
        for condition in pod["status"].get("conditions", ())
        if condition.get("reason") == "Unschedulable"
    }


def pods(api: Api) -> set[str]:
    """Returns the names of all pods of replicas, also of those that are being stopped."""
    return {pod["metadata"]["name"] for pod in _pods(api)}


def endpoints(api: Api) -> set[str]:
    """Returns the pods to which requests go."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
    return {
        endpoint["targetRef"]["name"]
        for part in api.items(f"{path}?labelSelector=kubernetes.io/service-name=model")
        for endpoint in part["endpoints"] or ()
        if endpoint["conditions"].get("ready")
    }


def capacity_type(api: Api, node: str) -> str:
    """Returns whether a node is spot or on-demand."""
    return str(api.get(f"/api/v1/nodes/{node}")["metadata"]["labels"][_CAPACITY])


def silence(api: Api, node: str) -> None:
    """Lets a node be heard of no more: its kubelet is somebody else, who never speaks.

    kwok leaves the pods of a node alone whose lease it does not hold, as a kubelet does that is cut
    off.
    """
    lease = {"holderIdentity": "nobody", "leaseDurationSeconds": 3600}
    api.merge(f"{_LEASES}/{node}", {"spec": lease})


def renew(api: Api, node: str, at: datetime) -> None:
    """Renews a node's lease as its kubelet does, at what its clock says."""
    moment = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    api.merge(f"{_LEASES}/{node}", {"spec": {"renewTime": moment}})


def speak(api: Api, node: str) -> None:
    """Lets a silent node be heard of again."""
    api.delete(f"{_LEASES}/{node}")


def vanish(api: Api, node: str) -> None:
    """Lets a machine be gone at once, with nobody asked and nothing drained."""
    path = f"/api/v1/nodes/{node}"
    api.merge(path, {"metadata": {"finalizers": None}})
    api.delete(path)


def interrupt(api: Api, node: str) -> None:
    """Does what Karpenter does at a cloud's notice of interruption: the NodeClaim is deleted."""
    [claim] = [
        claim["metadata"]["name"]
        for claim in api.items(_CLAIMS)
        if claim["status"].get("nodeName") == node
    ]
    api.delete(f"{_CLAIMS}/{claim}")


@contextmanager
def spot_is_sold(rig: Rig) -> Iterator[None]:
    """Lets the simulated cloud sell its machines as spot, too, at half the price.

    The price book has no spot prices, because they change by the hour; Karpenter reads what is sold
    when it starts.
    """
    file = rig.folder.part("instance-types.json")
    before = file.read_text(encoding="utf-8")
    types: list[dict[str, Any]] = json.loads(before)
    for each in types:
        each["offerings"] += [_as_spot(offering) for offering in each["offerings"]]
    try:
        _sell(rig, json.dumps(types))
        yield
    finally:
        rig.folder.sold_out.unlink(missing_ok=True)
        _sell(rig, before)


def _as_spot(offering: dict[str, Any]) -> dict[str, Any]:
    capacity, *others = offering["Requirements"]
    assert capacity["key"] == _CAPACITY
    return {
        **offering,
        "Price": offering["Price"] / 2,
        "Requirements": [{**capacity, "values": ["spot"]}, *others],
    }


def _sell(rig: Rig, types: str) -> None:
    rig.stop_part("karpenter")
    rig.folder.part("instance-types.json").write_text(types, encoding="utf-8")
    rig.start_part("karpenter")


@contextmanager
def fewest_ready(api: Api) -> Iterator[list[int]]:
    """Counts to how many pods requests go, many times a second; yields what was counted."""
    counted: list[int] = []
    over = threading.Event()

    def count() -> None:
        while not over.is_set():
            counted.append(len(endpoints(api)))
            time.sleep(0.1)

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield counted
    finally:
        over.set()
        thread.join()


def _pods(api: Api) -> Iterator[dict[str, Any]]:
    yield from api.items(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector={_SELECTOR}")
