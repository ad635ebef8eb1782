"""How many nodes or replicas ran, from Prometheus."""

from __future__ import annotations

import math
from collections import defaultdict

from breakeven.cost.fleet.plan import units_needed
from breakeven.cost.reconciliation.kind import Deployment, Kind, TrialReplicas, has_metric
from breakeven.cost.reconciliation.observations import Observed, ObservedError
from breakeven.cost.reconciliation.prometheus import read_series


def from_node_counts(
    text: str,
    name: str,
    replicas_per_node: int = 1,
    nodes_per_replica: int = 1,
    trial: TrialReplicas | None = None,
) -> Observed:
    """Reads how many nodes ran from `query` or `query_range`; its series are added up.

    Where replicas were counted and a candidate's are not among them, its nodes are as planned.

    Args:
        text: The answer.
        name: Of the file, for messages.
        replicas_per_node: Replicas that fill a node, where replicas were counted; nodes are whole.
        nodes_per_replica: Nodes that one of them spans, where it spans several.
        trial: Replicas of a candidate, where replicas were counted.

    Raises:
        ObservedError: It cannot be read, or nothing ran.
    """
    sums: defaultdict[float, float] = defaultdict(float)
    of_trial: defaultdict[float, float] = defaultdict(float)
    is_counted = False
    metrics: set[object] = set()
    for labels, points in read_series(text, name):
        metrics.add(labels.get("__name__"))
        is_trial = trial is not None and labels.get("deployment") == trial.name
        is_counted = is_counted or is_trial
        for moment, value in points:
            (of_trial if is_trial else sums)[moment] += value
            (sums if is_trial else of_trial)[moment] += 0
    if len(metrics) > 1:
        msg = f"{name}: {len(metrics)} metrics, which cannot be added up. Query one of them"
        raise ObservedError(msg)
    nodes = [
        1.0 * nodes_per_replica * int(units_needed(value, replicas_per_node))
        for value in sums.values()
    ]
    if trial is not None:
        beside = [units_needed(each, trial.replicas_per_node) for each in of_trial.values()]
        nodes = [
            own + (float(other) if is_counted else trial.nodes)
            for own, other in zip(nodes, beside, strict=True)
        ]
    if not any(nodes):
        msg = f"{name}: no node or replica ran. Query the time in which the model served"
        raise ObservedError(msg)
    return Observed(mean_nodes=math.fsum(nodes) / len(nodes))


def _read_nodes(text: str, name: str, _deployment: Deployment) -> Observed:
    return from_node_counts(text, name)


def _read_replicas(text: str, name: str, deployment: Deployment) -> Observed:
    return from_node_counts(
        text, name, deployment.replicas_per_node, deployment.nodes_per_replica, deployment.trial
    )


def _counts_nodes(text: str) -> bool:
    return has_metric(text, 'kube_node_info"', 'kube_node_labels"')


def _counts_replicas(text: str) -> bool:
    # Replicas that span nodes are leaders of a LeaderWorkerSet, which are a StatefulSet's.
    return has_metric(
        text,
        *(
            f'kube_{controller}_status_replicas{ready}"'
            for controller in ("deployment", "statefulset")
            for ready in ("", "_ready")
        ),
    )


NODES = Kind("nodes", _counts_nodes, _read_nodes, is_ambiguous=True)
REPLICAS = Kind("replicas", _counts_replicas, _read_replicas, is_ambiguous=True)
