"""Asks the API server and Prometheus what a deployment does now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.errors import ForbiddenError
from breakeven.cluster.preflight.checks.gpu_nodes import gpu_nodes
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus, PrometheusError
from breakeven.cluster.status.plan import Plan
from breakeven.cluster.status.replicas import replicas_of
from breakeven.cluster.status.shares import candidate_now, first_token_p95, shares_of
from breakeven.cluster.status.snapshot import AlertNow, ModelNow, NodesNow, Snapshot, Spend
from breakeven.cluster.status.spend import spend_of
from breakeven.manifests.monitoring.promql import engine_selector, namespace_selector
from breakeven.policy.manifest import at, listed, mapped
from breakeven.settings.stack import Settings

_MACHINE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_PURCHASES: Sequence[tuple[str, Mapping[str, str]]] = (
    ("karpenter.sh/capacity-type", {}),
    ("eks.amazonaws.com/capacityType", {"ON_DEMAND": "on-demand", "SPOT": "spot"}),
    ("cloud.google.com/gke-spot", {"true": "spot"}),
    ("kubernetes.azure.com/scalesetpriority", {"regular": "on-demand"}),
)
"""Labels by which clouds tell how a node is bought, and their words for it."""


@dataclass(frozen=True)
class Node:
    """A GPU node.

    Attributes:
        machine: Machine type; empty where no label tells it.
        purchase: How it is bought.
        is_ready: Whether it is ready.
        since: When it was made.
    """

    machine: str
    purchase: str
    is_ready: bool
    since: datetime


def observe(
    needs: Needs, cluster: Cluster, prometheus: Prometheus, plan: Plan, now: datetime
) -> Snapshot:
    """Returns what a deployment does now.

    What Prometheus does not tell is None, and the reason is in `missing`.

    Raises:
        UnreachableError: The API server does not answer.
        UnauthorizedError: It does not accept the credentials.
        ForbiddenError: The user may not read the stack's namespace.
    """
    asked = _Asked(prometheus)
    nodes = _nodes(needs, cluster, asked)
    own, api = shares_of(asked.value, needs.stack.models[0])
    return Snapshot(
        stack=needs.name,
        context=cluster.context,
        at=now.replace(microsecond=0),
        models=[_model(cluster, asked, settings) for settings in needs.stack.models],
        nodes=_grouped(nodes, plan),
        spend=_spend(needs, cluster, asked, plan, nodes, now),
        own_share=own,
        api_share=api,
        alerts=_alerts(asked, needs.own_namespaces),
        missing=list(asked.missing),
    )


class _Asked:
    """A Prometheus that is asked once more only while it answers; remembers why it did not."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._is_silent = False
        self.missing: dict[str, None] = {}

    def value(self, promql: str) -> float | None:
        if self._is_silent:
            return None
        try:
            return self._prometheus.value(promql)
        except PrometheusError as error:
            self._fail(error)
            return None

    def alerts(self) -> tuple[Mapping[str, Any], ...] | None:
        if self._is_silent:
            return None
        try:
            return self._prometheus.alerts()
        except PrometheusError as error:
            self._fail(error)
            return None

    def _fail(self, error: PrometheusError) -> None:
        self._is_silent = True
        self.missing[str(error)] = None


def _model(cluster: Cluster, asked: _Asked, settings: Settings) -> ModelNow:
    wanted, ready, not_ready = replicas_of(cluster, settings)
    selector = f"{{{engine_selector(settings)}}}"
    served = f"sum(rate(vllm:time_to_first_token_seconds_count{selector}[5m]))"
    return ModelNow(
        model=settings.model.facts.name,
        wanted=wanted,
        ready=ready,
        not_ready=list(not_ready),
        running=asked.value(f"sum(vllm:num_requests_running{selector})"),
        queue=asked.value(f"sum(vllm:num_requests_waiting{selector})"),
        first_token_p95_seconds=asked.value(first_token_p95(settings)),
        requests_per_second=asked.value(served),
        candidate=candidate_now(cluster, asked.value, settings),
    )


def _nodes(needs: Needs, cluster: Cluster, asked: _Asked) -> tuple[Node, ...]:
    try:
        nodes = tuple(cluster.items("/api/v1/nodes"))
    except ForbiddenError:
        asked.missing["nodes: no permission to list them, so their current price is unknown"] = None
        return ()
    return tuple(_node(node) for node in gpu_nodes(needs, nodes))


def _node(node: Mapping[str, Any]) -> Node:
    labels = mapped(node["metadata"].get("labels"))
    machine = next((str(labels[key]) for key in _MACHINE if key in labels), "")
    purchase = next(
        (words.get(labels[key], labels[key]) for key, words in _PURCHASES if key in labels),
        "on-demand",
    )
    conditions = listed(at(node, "status", "conditions"))
    return Node(
        machine=machine,
        purchase=str(purchase),
        is_ready=any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
        since=datetime.fromisoformat(str(node["metadata"]["creationTimestamp"])),
    )


def _grouped(nodes: Sequence[Node], plan: Plan) -> list[NodesNow]:
    kinds = Counter((node.machine, node.purchase) for node in nodes)
    ready = Counter((node.machine, node.purchase) for node in nodes if node.is_ready)
    return [
        NodesNow(
            machine=machine or "unknown",
            purchase=purchase,
            count=count,
            ready=ready[machine, purchase],
            hourly_each=plan.price_of(machine, purchase),
        )
        for (machine, purchase), count in sorted(kinds.items())
    ]


def _spend(  # noqa: PLR0913, PLR0917  # what a spend is made of
    needs: Needs,
    cluster: Cluster,
    asked: _Asked,
    plan: Plan,
    nodes: Sequence[Node],
    now: datetime,
) -> Spend:
    namespace = needs.own_namespaces[0] if needs.own_namespaces else ""
    found = cluster.find(f"/api/v1/namespaces/{namespace}") if namespace else None
    stamp = at(found, "metadata", "creationTimestamp")
    since = datetime.fromisoformat(str(stamp)) if stamp else now
    pool = needs.stack.pool
    # More nodes with the labels of a pool of fixed size than the stack states are paid by others.
    paid = nodes if pool.can_grow else nodes[: pool.node_count]
    prices = [plan.price_of(node.machine, node.purchase) for node in paid]
    lives = [
        (node.since, price) for node, price in zip(paid, prices, strict=True) if price is not None
    ]
    return spend_of(
        plan=plan,
        lives=lives if len(lives) == len(paid) else None,
        deployed_since=since,
        is_deployed=found is not None,
        now=now.astimezone(UTC),
        recorded=lambda minutes: _recorded(asked, needs.stack.models[0], minutes),
    )


def _recorded(asked: _Asked, settings: Settings, minutes: int) -> Decimal | None:
    """Returns what a recorded cost adds up to over the last minutes; None where it is missing."""
    step = max(1, minutes // 500)
    # The second one is recorded while a candidate is on trial.
    stack, trial = (
        f"sum(sum_over_time(breakeven:{name}:usd{{{namespace_selector(settings)}}}"
        f"[{max(minutes, 1)}m:{step}m]))"
        for name in ("cost_hour", "candidate_hour")
    )
    value = asked.value(f"({stack} + ({trial} or vector(0))) * {step} / 60")
    return None if value is None else Decimal(repr(value))


def _alerts(asked: _Asked, namespaces: Sequence[str]) -> list[AlertNow] | None:
    found = asked.alerts()
    if found is None:
        return None
    return [
        AlertNow(
            name=str(mapped(alert.get("labels")).get("alertname", "?")),
            severity=str(mapped(alert.get("labels")).get("severity", "none")),
            summary=str(mapped(alert.get("annotations")).get("summary", "")),
            since=str(alert.get("activeAt", "")),
        )
        for alert in found
        if alert.get("state") == "firing"
        and mapped(alert.get("labels")).get("namespace") in namespaces
    ]
