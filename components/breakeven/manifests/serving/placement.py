"""Placement of replicas: spread over nodes and zones, away from other models and lost nodes."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.serving.labels import ENGINE_LABELS, MODEL, engine_labels
from breakeven.manifests.serving.timings import NODE_LOST
from breakeven.settings.stack import Settings

_HOST = "kubernetes.io/hostname"
_ZONE = "topology.kubernetes.io/zone"


def spread(settings: Settings) -> list[dict[str, Any]]:
    """Returns constraints that spread replicas over nodes and over zones."""
    return [_spread(settings, _HOST), _spread(settings, _ZONE)]


def lost_nodes(settings: Settings) -> list[dict[str, Any]]:
    """Returns how long a replica waits for a node that no longer answers."""
    if not settings.has_spare_gpus:
        return []  # there is nowhere else, and a node that comes back still has its replica
    return leaving_lost_nodes()


def leaving_lost_nodes() -> list[dict[str, Any]]:
    """Returns tolerations of a lost node, shorter than the 5 minutes that Kubernetes adds."""
    return [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": NODE_LOST,
        }
        for state in ("not-ready", "unreachable")
    ]


def _spread(settings: Settings, topology_key: str) -> dict[str, Any]:
    return {
        "topologyKey": topology_key,
        "maxSkew": 1,
        # DoNotSchedule would make a node autoscaler buy nodes for the sake of symmetry.
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": engine_labels(settings)},
    }


def own_nodes(settings: Settings) -> dict[str, Any] | None:
    """Keeps the models of a stack on nodes of their own, where nodes come and go.

    Sharing one would keep it, and its price, until the last replica of either model has left; nodes
    of a pool of fixed size are paid anyway, and shared.
    """
    if not settings.co_located or settings.shares_nodes:
        return None
    other = {
        "matchLabels": dict(ENGINE_LABELS),
        "matchExpressions": [{"key": MODEL, "operator": "NotIn", "values": [settings.name]}],
    }
    return {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": other, "topologyKey": _HOST}
            ]
        }
    }
