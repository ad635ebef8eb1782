"""Stands in for the controllers of clouds that check a node class.

Role, networks and image are there, it says, and the class is ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

from rig.api import Api, ApiError

NODE_CLASSES = (
    "/apis/karpenter.k8s.aws/v1/ec2nodeclasses",
    "/apis/karpenter.azure.com/v1beta1/aksnodeclasses",
)
"""Collections of node classes; those whose definition is not in the cluster are passed over."""


def reconcile(api: Api) -> Iterator[str]:
    """Say of each node class, in each of its versions, that it is ready.

    Yields:
        What was done.
    """
    for path in NODE_CLASSES:
        found = api.find(path)
        for node_class in found["items"] if found else ():
            metadata = node_class["metadata"]
            known = [
                each.get("observedGeneration")
                for each in node_class.get("status", {}).get("conditions", ())
                if each["type"] == "Ready"
            ]
            if known == [metadata["generation"]]:
                continue
            try:
                api.merge(f"{path}/{metadata['name']}/status", _ready(metadata["generation"]))
            except ApiError as error:
                if error.status != HTTPStatus.NOT_FOUND:  # deleted meanwhile
                    raise
            yield f"{metadata['name']} is ready"


def _ready(generation: int) -> dict[str, object]:
    return {
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Ready",
                    "message": "",
                    "observedGeneration": generation,
                    "lastTransitionTime": datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            ]
        }
    }
