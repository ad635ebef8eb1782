"""Names and labels that the parts of the kit use to find each other's objects."""

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
"""The serving pods of all models."""

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
    """Returns the key of the owner of one model's serving pods."""
    if settings.engine.pipeline_parallel > 1:
        return f"LeaderWorkerSet/{GROUP_NAME}"
    return f"Deployment/{settings.name}"


def engine_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels that select one model's serving pods."""
    return {**ENGINE_LABELS, MODEL: settings.name}


def answering_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels of the pods that answer requests: if a replica spans nodes, its first."""
    leader = LEADER_LABELS if settings.engine.pipeline_parallel > 1 else {}
    return {**engine_labels(settings), **leader}


def weights_labels(settings: Settings) -> dict[str, str]:
    """Returns the labels of the pod that fills one model's volumes."""
    return {**WEIGHTS_LABELS, MODEL: settings.name}


def described(labels: Mapping[str, str]) -> dict[str, str]:
    """Returns labels with those that only inform, such as who made the object."""
    return {
        MODEL: "shared",  # unless the labels say whose it is
        **labels,
        "app.kubernetes.io/part-of": "breakeven",
        "app.kubernetes.io/managed-by": "pulumi",
    }
