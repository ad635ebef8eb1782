"""Names and labels by which the parts of the kit find each other's objects in the cluster."""

from __future__ import annotations

from collections.abc import Mapping

NAME = "model"
"""Name of Deployment, Service and so on: a namespace holds one model.

Never "vllm": Kubernetes would set VLLM_PORT=tcp://… in every pod of the namespace that takes
service links, and vLLM dies of it (vllm#34199).
"""

ENGINE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "vllm",
    "app.kubernetes.io/component": "engine",
}
"""The pods that serve."""

WEIGHTS_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "vllm",
    "app.kubernetes.io/component": "weights",
}
"""The pod that fills the weights volume."""

GROUP_NAME = f"{NAME}-nodes"
"""Name of the LeaderWorkerSet, whose controller makes a Service of the same name."""

LEADER_LABELS: Mapping[str, str] = {
    **ENGINE_LABELS,
    "leaderworkerset.sigs.k8s.io/worker-index": "0",
}
"""The pods that answer requests, where a replica spans several nodes; set by LeaderWorkerSet."""

ENGINE_PORT = 8000
ENGINE_PORT_NAME = "http"


def described(labels: Mapping[str, str]) -> dict[str, str]:
    """Returns labels with those that only inform, such as who made the object."""
    return {
        **labels,
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/part-of": "breakeven",
        "app.kubernetes.io/managed-by": "pulumi",
    }
