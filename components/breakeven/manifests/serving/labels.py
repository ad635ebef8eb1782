"""Names and labels by which the parts of the kit find each other's objects in the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.settings.stack import Settings

NAME = "model"
"""Name of what the models of a stack share; those of one model's objects begin with it, too
(`Settings.name`).

Never "vllm": Kubernetes would set VLLM_PORT=tcp://… in every pod of the namespace that takes
service links, and vLLM dies of it (vllm#34199).
"""

ENGINE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "vllm",
    "app.kubernetes.io/component": "engine",
}
"""The pods that serve, whichever model."""

WEIGHTS_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "vllm",
    "app.kubernetes.io/component": "weights",
}
"""The pod that fills the weights volume."""

GROUP_NAME = f"{NAME}-nodes"
"""Name of the LeaderWorkerSet, whose controller makes a Service of the same name."""

LEADER_LABELS: Mapping[str, str] = {"leaderworkerset.sigs.k8s.io/worker-index": "0"}
"""Of the pods that answer requests, where a replica spans several nodes; set by LeaderWorkerSet."""

MODEL = "app.kubernetes.io/instance"
"""Label whose value is the name of one model's objects."""

ENGINE_PORT = 8000
ENGINE_PORT_NAME = "http"


def replicas_key(settings: Settings) -> str:
    """Returns the key of what owns the pods that serve one model."""
    if settings.engine.pipeline_parallel > 1:
        return f"LeaderWorkerSet/{GROUP_NAME}"
    return f"Deployment/{settings.name}"


def engine_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels by which the pods that serve one model are found."""
    return {**ENGINE_LABELS, MODEL: settings.name}


def answering_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels of those that answer requests: where a replica spans nodes, its first."""
    leader = LEADER_LABELS if settings.engine.pipeline_parallel > 1 else {}
    return {**engine_labels(settings), **leader}


def weights_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels of what fills one model's volumes."""
    return {**WEIGHTS_LABELS, MODEL: settings.name}


def described(labels: Mapping[str, str]) -> dict[str, str]:
    """Returns labels with those that only inform, such as who made the object."""
    return {
        MODEL: "shared",  # unless the labels say whose it is
        **labels,
        "app.kubernetes.io/part-of": "breakeven",
        "app.kubernetes.io/managed-by": "pulumi",
    }
