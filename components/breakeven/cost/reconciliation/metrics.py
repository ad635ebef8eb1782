"""Reads what happened from Prometheus: vLLM's counters, and how many nodes or replicas ran."""

from __future__ import annotations

import io
import math
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from breakeven.cost.fleet.plan import units_needed
from breakeven.cost.reconciliation.observations import Observed, ObservedError
from breakeven.cost.reconciliation.opencost import PER_MILLION, TOTAL
from breakeven.cost.reconciliation.prometheus import read_series
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.importer import describe_bad_rows
from breakeven.traffic.profile import measure
from breakeven.traffic.prometheus import PrometheusReader
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import TimeReader

_MAX_BAD_PERCENT = 1.0  # as `breakeven traffic import` refuses by default
_BY_METRIC = {
    "vllm": ('"vllm:',),
    "opencost": (f'"{TOTAL}"', f'"{PER_MILLION}"'),
    # Replicas that span nodes are leaders of a LeaderWorkerSet, which are a StatefulSet's.
    "replicas": tuple(
        f'"kube_{controller}_status_replicas{ready}"'
        for controller in ("deployment", "statefulset")
        for ready in ("", "_ready")
    ),
    "nodes": ('"kube_node_info"', '"kube_node_labels"'),
}


class Kind(StrEnum):
    """What a file holds."""

    FIGURES = "figures"
    VLLM = "vllm"
    NODES = "nodes"
    REPLICAS = "replicas"
    OPENCOST = "opencost"


def detect_kind(text: str) -> Kind | None:
    """Detects a file's kind by what it holds; None for a Prometheus answer of unknown metrics."""
    if '"inferenceCost' in text:
        return Kind.OPENCOST
    if '"resultType"' not in text:
        return Kind.FIGURES
    for kind, metrics in _BY_METRIC.items():
        if any(metric in text for metric in metrics):
            return Kind(kind)
    return None


def from_vllm(text: str, name: str, now: datetime) -> Observed:
    """Reads volume, lengths and burst from a range query of vLLM's counters.

    Args:
        text: Answer of `/api/v1/query_range` with the metrics that `breakeven traffic import` asks
            for.
        name: Of the file, for messages.
        now: Time after which no point can be.

    Raises:
        ObservedError: It can't be read, or metrics are missing.
    """
    tally = Tally()
    reader = PrometheusReader(TimeReader(UTC, now.timestamp()), tally)
    try:
        reader.read(io.StringIO(text), name)
        reader.finish()
        _refuse_many_bad_points(tally)
        profile = measure(tally, UTC)
    except TrafficError as error:
        message = str(error)
        raise ObservedError(message if name in message else f"{name}: {message}") from error
    burst = profile.burst_factor
    return Observed(
        tokens_per_day=profile.tokens_per_day,
        input_tokens=profile.input_tokens,
        output_tokens=profile.output_tokens,
        burst_factor=None if burst is None else Decimal(f"{burst:.2f}"),
    )


def _refuse_many_bad_points(tally: Tally) -> None:
    if tally.bad_rows * 100 > _MAX_BAD_PERCENT * tally.rows:
        points = f"{tally.bad_rows:,} of {tally.rows:,} points can't be used; query them again"
        raise TrafficError("\n  ".join([points, *describe_bad_rows(tally)]))


def from_node_counts(
    text: str, name: str, replicas_per_node: int = 1, nodes_per_replica: int = 1
) -> Observed:
    """Reads how many nodes ran from `query` or `query_range`; its series are added up.

    Args:
        text: The answer.
        name: Of the file, for messages.
        replicas_per_node: Replicas that fill a node, where replicas were counted; nodes are whole.
        nodes_per_replica: Nodes that one of them spans, where it spans several.

    Raises:
        ObservedError: It can't be read, or nothing ran.
    """
    sums: defaultdict[float, float] = defaultdict(float)
    metrics: set[object] = set()
    for labels, points in read_series(text, name):
        metrics.add(labels.get("__name__"))
        for moment, value in points:
            sums[moment] += value
    if len(metrics) > 1:
        msg = f"{name}: {len(metrics)} metrics, which can't be added up. Query one of them"
        raise ObservedError(msg)
    nodes = [
        nodes_per_replica * int(units_needed(value, replicas_per_node)) for value in sums.values()
    ]
    if not any(nodes):
        msg = f"{name}: no node or replica ran. Query the time in which the model served"
        raise ObservedError(msg)
    return Observed(mean_nodes=math.fsum(nodes) / len(nodes))
