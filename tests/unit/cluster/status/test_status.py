"""Status says what runs, why a replica does not, and what is spent, from recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cluster.connection import connect
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus
from breakeven.cluster.status.observe import observe
from breakeven.cluster.status.plan import Plan, plan_of
from breakeven.cluster.status.replicas import cause_of
from breakeven.cluster.status.snapshot import Cause, Snapshot
from breakeven.cluster.status.spend import FROM_NODES, RECORDED, UNKNOWN, spend_of, starts_of
from breakeven.manifests.render import render
from breakeven.planning.offline import load_stack, load_values, read_stack
from breakeven.settings.files import stack_values, with_settings
from tests.unit.cluster.preflight.whole import needs_of
from tests.unit.cluster.recorded import Recorded, serving, write_kubeconfig

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
_PODS = "/api/v1/namespaces/llm/pods"
_JOBS = "/apis/batch/v1/namespaces/llm/jobs"
_DEPLOYMENT = "/apis/apps/v1/namespaces/llm/deployments/model"
_PROXY = "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy/api/v1"


def plan(**changes: Any) -> Plan:
    stated = {
        "month": Decimal(7300),
        "fixed_hour": Decimal(4),
        "node_hour": Decimal(2),
        "hours_per_month": Decimal(730),
        "budget": Decimal(8000),
        "price_of": lambda machine, _: {"g6e.xlarge": Decimal(2)}.get(machine),
    }
    return Plan(**{**stated, **changes})


def pod(*conditions: tuple[str, str, str], **status: Any) -> dict[str, Any]:
    told = [{"type": kind, "status": on, "message": said} for kind, on, said in conditions]
    return {"metadata": {"name": "model-a"}, "status": {"conditions": told, **status}}


def container(state: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "vllm", "state": state, **more}]}


CAUSES = [
    (
        pod(("PodScheduled", "False", "0/5 nodes: 5 Insufficient nvidia.com/gpu.")),
        Cause.GPU,
        "Insufficient nvidia.com/gpu",
    ),
    (
        pod(("PodScheduled", "False", "pod has unbound immediate PersistentVolumeClaims")),
        Cause.WEIGHTS,
        "unbound",
    ),
    (pod(("PodScheduled", "False", "0/3 nodes: 3 Insufficient cpu.")), Cause.SCHEDULING, "cpu"),
    (
        pod(**container({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}})),
        Cause.IMAGE,
        "not found",
    ),
    (
        pod(**container({"waiting": {"reason": "CreateContainerConfigError", "message": "no x"}})),
        Cause.SECRET,
        "no x",
    ),
    (
        pod(
            **container(
                {"waiting": {"reason": "CrashLoopBackOff"}},
                lastState={"terminated": {"exitCode": 1, "message": "CUDA out of memory"}},
            )
        ),
        Cause.CRASH,
        "vllm ended with 1: CUDA out of memory",
    ),
    (pod(**container({"running": {}}, started=False)), Cause.STARTING, "loads the model"),
    (pod(**container({"running": {}}, started=True)), Cause.PROBE, "readiness probe"),
    (pod(), Cause.STARTING, "being created"),
]


@pytest.mark.parametrize(("found", "cause", "said"), CAUSES)
def test_each_cause_of_a_replica_that_is_not_ready_is_told(
    found: dict[str, Any], cause: Cause, said: str
) -> None:
    told, words = cause_of(found)
    assert (told, said in words) == (cause, True)


def _node(name: str, machine: str, hours: float, *, ready: bool = True) -> dict[str, Any]:
    since = NOW - timedelta(hours=hours)
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": since.isoformat(),
            "labels": {
                "breakeven/pool": "llm-gpu",
                "node.kubernetes.io/instance-type": machine,
                "karpenter.sh/capacity-type": "on-demand",
            },
        },
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def _metrics(values: Mapping[str, float]) -> dict[str, Any]:
    """Answers a query by the first metric that it names."""

    def answer(target: str) -> dict[str, Any]:
        query = parse_qs(urlsplit(target).query).get("query", [""])[0]
        value = next((value for part, value in values.items() if part in query), None)
        series = [] if value is None else [{"metric": {}, "value": [0, str(value)]}]
        return {"status": "success", "data": {"resultType": "vector", "result": series}}

    return {f"{_PROXY}/query": answer}


def _answers() -> dict[str, Any]:
    ready = pod(("Ready", "True", ""), **container({"running": {}}, started=True, ready=True))
    return {
        _DEPLOYMENT: {"spec": {"replicas": 3}, "status": {}},
        _PODS: {"items": [ready, CAUSES[0][0], CAUSES[3][0]]},
        "/api/v1/nodes": {
            "items": [_node("a", "g6e.xlarge", 2), _node("b", "g6e.xlarge", 0.25, ready=False)]
        },
        "/api/v1/namespaces/llm": {"metadata": {"creationTimestamp": "2026-11-30T10:30:00Z"}},
        f"{_PROXY}/alerts": {
            "status": "success",
            "data": {
                "alerts": [
                    {
                        "state": "firing",
                        "labels": {
                            "alertname": "QueueGrows",
                            "severity": "warning",
                            "namespace": "llm",
                        },
                        "annotations": {"summary": "Requests wait."},
                        "activeAt": "2026-11-30T12:00:00Z",
                    },
                    {"state": "pending", "labels": {"alertname": "Later", "namespace": "llm"}},
                    {"state": "firing", "labels": {"alertname": "Other", "namespace": "shop"}},
                ]
            },
        },
    }


def _look(
    tmp_path: Path, answers: dict[str, Any], stack: str = "aws-prod", **changes: object
) -> Snapshot:
    needs = needs_of(stack)
    if changes:
        known = read_stack(stack, changes)
        needs = Needs(stack, known, render(known))
    with serving(Recorded(answers)) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        prometheus = Prometheus.of_stack(cluster, needs.stack.monitoring.prometheus_address)
        return observe(needs, cluster, prometheus, plan(), NOW)


def test_one_look_tells_replicas_nodes_money_queue_and_alerts(tmp_path: Path) -> None:
    values = {"num_requests_waiting": 7, "num_requests_running": 40, "_bucket": 0.8}
    seen = _look(tmp_path, {**_answers(), **_metrics(values)})
    [model] = seen.models
    assert (model.wanted, model.ready, model.queue, model.running) == (3, 1, 7, 40)
    assert {(each.cause, each.replicas) for each in model.not_ready} == {
        (Cause.GPU, 1),
        (Cause.IMAGE, 1),
    }
    assert model.first_token_p95_seconds == 0.8
    [nodes] = seen.nodes
    assert (nodes.count, nodes.ready, nodes.hourly_each) == (2, 1, Decimal(2))
    assert seen.spend.hourly_now == 8  # two nodes of $2, and $4 of everything else
    # Since 12:00: half an hour and a quarter of nodes, half an hour of the rest.
    assert seen.spend.this_hour == Decimal("3.5")
    assert seen.spend.today == seen.spend.this_month == Decimal("12.5")
    assert seen.spend.planned_today == 20  # the two hours since it was deployed
    assert seen.spend.source == FROM_NODES
    assert (seen.own_share, seen.api_share) == (1, 0)
    assert [alert.name for alert in seen.alerts or []] == ["QueueGrows"]
    assert seen.missing == []
    assert json.loads(json.dumps(seen.as_json()))["spend"]["hourlyNow"] == "8"


def test_what_prometheus_recorded_is_the_spend_of_past_hours(tmp_path: Path) -> None:
    seen = _look(tmp_path, {**_answers(), **_metrics({"cost_hour": 9.5})})
    assert (seen.spend.today, seen.spend.source) == (Decimal("9.5"), RECORDED)


def test_a_silent_prometheus_leaves_figures_unknown_and_is_named_once(tmp_path: Path) -> None:
    answers = _answers()
    del answers[f"{_PROXY}/alerts"]
    seen = _look(tmp_path, answers)
    [model] = seen.models
    assert (model.wanted, model.ready) == (3, 1)
    assert (model.queue, model.first_token_p95_seconds, seen.alerts) == (None, None, None)
    assert seen.spend.today is not None
    [reason] = seen.missing
    assert reason.startswith("Prometheus at http://prometheus-operated.monitoring.svc:9090")


def test_a_quota_that_forbids_pods_is_a_cause(tmp_path: Path) -> None:
    answers = _answers()
    message = 'pods "model-x" is forbidden: exceeded quota: team'
    answers[_DEPLOYMENT] = {
        "spec": {"replicas": 3},
        "status": {
            "conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]
        },
    }
    answers[_PODS] = {"items": []}
    [model] = _look(tmp_path, answers).models
    [cause] = model.not_ready
    assert (cause.cause, cause.replicas) == (Cause.QUOTA, 3)


def test_a_stack_that_is_not_deployed_costs_nothing_and_names_its_weights_job(
    tmp_path: Path,
) -> None:
    job = {"metadata": {"name": "model-weights-1"}, "status": {"failed": 2}}
    answers = {_JOBS: {"items": [job]}, _PODS: {"items": []}, "/api/v1/nodes": {"items": []}}
    seen = _look(tmp_path, answers)
    [model] = seen.models
    assert model.wanted is None
    assert seen.spend.hourly_now == seen.spend.today == 0
    assert [each.cause for each in model.not_ready] == [Cause.WEIGHTS]
    assert "2 attempts failed" in model.not_ready[0].detail


def _weights_pod(name: str, hour: int, log: str) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 1, "message": log}}
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-11-30T{hour:02}:00:00Z"},
        "status": {"phase": "Failed", **container(ended)},
    }


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"failed": 1}, "is downloading them; 1 attempt failed: FetchError: 9.20 GB to fetch"),
        (
            {"failed": 5, "conditions": [{"type": "Failed", "status": "True"}]},
            "Job model-weights-1 has failed: FetchError: 9.20 GB to fetch",
        ),
    ],
)
def test_weights_that_do_not_arrive_are_told_with_the_last_reason_of_their_job(
    tmp_path: Path, status: dict[str, Any], said: str
) -> None:
    job = {"metadata": {"name": "model-weights-1"}, "status": status}
    pods = [
        _weights_pod("new", 11, "not fetched: nothing\nfailed: FetchError: 9.20 GB to fetch\n"),
        _weights_pod("old", 10, "failed: ConnectError: no route to the hub"),
    ]
    answers = {_JOBS: {"items": [job]}, _PODS: {"items": pods}, "/api/v1/nodes": {"items": []}}
    [model] = _look(tmp_path, answers).models
    assert said in model.not_ready[0].detail


def test_shares_of_a_hybrid_come_from_the_gateways_counters(tmp_path: Path) -> None:
    values = {'to=~"own|candidate",status="200"}': 75, 'to="api"': 25}
    seen = _look(tmp_path, {**_answers(), **_metrics(values)}, "hybrid")
    assert (seen.own_share, seen.api_share) == (0.75, 0.25)


TRIAL: dict[str, Any] = {
    "candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "candidate.replicas": 2,
    "candidate.trafficPercent": 20,
}


def test_a_candidate_has_its_own_replicas_share_failures_and_latency(tmp_path: Path) -> None:
    asked_for = r'model=~"llama-3\\.1-8b-instruct"'
    values = {
        f'to="candidate",status="200",{asked_for}': 18,
        f'to=~"own|candidate",status="200",{asked_for}': 90,
        f'to="candidate",{asked_for}': 20,
        'pod=~"model-candidate-.+"}[5m]': 0.9,
        'pod!~"model-candidate-.+"}[5m]': 0.5,
    }
    answers = {**_answers(), **_metrics(values)}
    answers[f"{_DEPLOYMENT}-candidate"] = {"spec": {"replicas": 2}, "status": {}}
    [model] = _look(tmp_path, answers, "hybrid", **TRIAL).models
    candidate = model.candidate
    assert candidate is not None
    assert (candidate.wanted, candidate.ready) == (2, 1)
    assert (candidate.planned_share, candidate.share) == (0.2, 0.2)
    assert candidate.failed_share == pytest.approx(0.1)
    assert (model.first_token_p95_seconds, candidate.first_token_p95_seconds) == (0.5, 0.9)
    assert _look(tmp_path, answers, "hybrid").models[0].candidate is None


def test_what_a_trial_costs_is_planned_and_was_spent(tmp_path: Path) -> None:
    values = with_settings(stack_values("hybrid"), TRIAL)
    report = load_values("hybrid", values, NOW.date()).report()
    [candidate] = report.candidates
    planned, alone = plan_of(report), plan_of(replace(report, candidates=()))
    assert planned.month - alone.month == candidate.monthly
    volumes = (planned.fixed_hour - alone.fixed_hour) * planned.hours_per_month
    assert 0 < volumes < candidate.monthly
    seen = _look(tmp_path, {**_answers(), **_metrics({"candidate_hour:usd": 9.5})}, "hybrid")
    assert seen.spend.source == RECORDED


def test_an_unknown_price_makes_the_spend_unknown_and_not_zero(tmp_path: Path) -> None:
    answers = _answers()
    answers["/api/v1/nodes"] = {"items": [_node("a", "p9.huge", 2)]}
    seen = _look(tmp_path, answers)
    assert (seen.spend.hourly_now, seen.spend.today, seen.spend.source) == (None, None, UNKNOWN)
    assert seen.nodes[0].hourly_each is None


def test_nodes_beyond_a_pool_of_fixed_size_are_paid_by_others(tmp_path: Path) -> None:
    answers = _answers()
    nodes = [_node(name, "g6e.xlarge", 100) for name in ("a", "b")]
    for node in nodes:
        node["metadata"]["labels"] |= needs_of("on-prem").stack.pool.node_labels
    answers["/api/v1/nodes"] = {"items": nodes}
    seen = _look(tmp_path, answers, "on-prem")
    assert [each.count for each in seen.nodes] == [2]
    assert seen.spend.hourly_now == 6  # one node of $2, and $4 of everything else


@given(
    hours=st.lists(st.integers(min_value=0, max_value=2000), max_size=6),
    minutes=st.integers(min_value=0, max_value=525_600),
)
def test_hour_day_and_month_nest_and_nodes_add_up(hours: list[int], minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    price = Decimal("1.5")
    lives = [(now - timedelta(hours=each), price) for each in hours]

    def spent(nodes: list[tuple[datetime, Decimal]]) -> tuple[Decimal, Decimal, Decimal]:
        found = spend_of(
            plan=plan(fixed_hour=Decimal(0)),
            lives=nodes,
            deployed_since=now,
            is_deployed=True,
            now=now,
            recorded=lambda _: None,
        )
        assert found.this_hour is not None
        assert found.today is not None
        assert found.this_month is not None
        return found.this_hour, found.today, found.this_month

    this_hour, today, this_month = spent(lives)
    assert 0 <= this_hour <= today <= this_month
    assert this_hour <= price * len(lives)
    alone = [spent([life]) for life in lives]
    assert this_month == sum((month for _, _, month in alone), Decimal(0))
    hour, day, month = starts_of(now)
    assert month <= day <= hour <= now


def test_the_plan_prices_the_planned_machine_as_the_estimate_does() -> None:
    report = load_stack("aws-prod", NOW.date()).report()
    planned = plan_of(report)
    node = report.assumptions.node
    assert planned.price_of("g6e.xlarge", "on-demand") == planned.node_hour
    assert planned.price_of("p9.huge", "on-demand") is None
    larger = planned.price_of("g6e.2xlarge", "on-demand")
    assert larger is not None
    assert larger > planned.node_hour
    assert abs(planned.hourly * planned.hours_per_month - report.total) < Decimal("0.01")
    assert node is not None
