"""Cases of charts/monitoring/rules/candidate.yaml.j2, and of alerts that are the model's alone."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.manifests.monitoring.promql import target_selector
from tests.prometheus.cases.series import Case, Series, cluster
from tests.recording import settings_of

SETTINGS = settings_of(
    "hybrid",
    **{
        "candidate.settings": {"engine.kvCachePrecision": "fp8"},
        "traffic.timeToFirstTokenSeconds": 2,
        "traffic.interTokenLatencySeconds": "0.1",
    },
)
assert SETTINGS.tried is not None
MODEL, CANDIDATE = "model-5d9f7-x2k4q", "model-candidate-6c8b4-q9z7w"
TARGETS = {
    MODEL: target_selector(SETTINGS),
    CANDIDATE: target_selector(SETTINGS.tried.settings),
}
FIRST, BETWEEN = "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds"


def engine(metric: str, values: str, pod: str, more: str = "") -> Series:
    """A series as a pod of either exports it: under the same model's name."""
    labels = f'namespace="llm",model_name="{SETTINGS.model.facts.name}",engine="0",pod="{pod}"'
    return f"{metric}{{{labels}{more}}}", values


def up(values: str, pod: str) -> Series:
    return f'up{{{TARGETS[pod]},pod="{pod}"}}', values


def requests(to: str, values: str, status: int = 200, why: str = "-") -> Series:
    labels = f'to="{to}",status="{status}",why="{why}",pod="gateway-a"'
    return cluster("envoy_gateway_requests", values, labels)


def latencies(histogram: str, pod: str, slow: int, bounds: tuple[str, str]) -> tuple[Series, ...]:
    """Of ten a minute so many take up to the second bound, and the others up to the first one."""
    counts = {bounds[0]: 10 - slow, bounds[1]: 10, "+Inf": 10}
    return tuple(
        engine(f"{histogram}_bucket", f"0+{count}x200", pod, f',le="{bound}"')
        for bound, count in counts.items()
    )


ENOUGH = requests("candidate", "0+10x200")
SLOW, BOTH_SLOW = ("1.0", "4.0"), ("0.05", "0.2")

CASES = [
    Case("CandidateDown", (), 60, firing=True),  # not even a target
    Case("CandidateDown", (up("0x100", CANDIDATE), up("1x100", MODEL)), 60, firing=True),
    Case("CandidateDown", (up("0x100", CANDIDATE),), 10, firing=False),  # it starts
    Case("CandidateDown", (up("1x100", CANDIDATE), up("0x100", MODEL)), 60, firing=False),
    Case(
        "CandidateFailsMore",
        (
            requests("candidate", "0+8x200"),
            requests("candidate", "0+2x200", 503),
            requests("own", "0+90x200"),
        ),
        60,
        firing=True,
        summary="The candidate fails 20% of its requests, more than the model does.",
    ),
    # The model fails as many.
    Case(
        "CandidateFailsMore",
        (
            requests("candidate", "0+8x200"),
            requests("candidate", "0+2x200", 503),
            requests("own", "0+80x200"),
            requests("own", "0+20x200", 500),
        ),
        60,
        firing=False,
    ),
    # It is full, and the model answers.
    Case(
        "CandidateFailsMore",
        (
            requests("candidate", "0+8x200"),
            requests("candidate", "0+2x200", 503, "UO"),
            requests("own", "0+90x200"),
        ),
        60,
        firing=False,
    ),
    # Two of four requests in half an hour.
    Case(
        "CandidateFailsMore",
        (
            requests("candidate", "0x10 1x10 2x100"),
            requests("candidate", "0x10 1x10 2x100", 503),
        ),
        30,
        firing=False,
    ),
    # The model fails, and the candidate does not.
    Case(
        "CandidateFailsMore",
        (ENOUGH, requests("own", "0+80x200"), requests("own", "0+20x200", 500)),
        60,
        firing=False,
    ),
    # All of the candidate's are slow: 3.85 s is 95% of the way from 1 s to 4 s.
    Case(
        "CandidateSlowerFirstToken",
        (ENOUGH, *latencies(FIRST, CANDIDATE, 10, SLOW), *latencies(FIRST, MODEL, 0, SLOW)),
        60,
        firing=True,
        summary="The candidate's time to first token (95%) is 3.85 s, more than 1.25 times the "
        "model's and above the objective of 2 s.",
    ),
    Case(
        "CandidateSlowerFirstToken",
        (ENOUGH, *latencies(FIRST, CANDIDATE, 10, SLOW), *latencies(FIRST, MODEL, 10, SLOW)),
        60,
        firing=False,
    ),
    # The model is the slow one.
    Case(
        "CandidateSlowerFirstToken",
        (ENOUGH, *latencies(FIRST, CANDIDATE, 0, SLOW), *latencies(FIRST, MODEL, 10, SLOW)),
        60,
        firing=False,
    ),
    # Slower than the model's, and within the objective.
    Case(
        "CandidateSlowerFirstToken",
        (
            ENOUGH,
            *latencies(FIRST, CANDIDATE, 10, ("0.5", "1.0")),
            *latencies(FIRST, MODEL, 0, ("0.5", "1.0")),
        ),
        60,
        firing=False,
    ),
    # Ten requests say little.
    Case(
        "CandidateSlowerFirstToken",
        (
            requests("candidate", "0+10x1 10x200"),
            *latencies(FIRST, CANDIDATE, 10, SLOW),
            *latencies(FIRST, MODEL, 0, SLOW),
        ),
        60,
        firing=False,
    ),
    Case(
        "CandidateSlowerTokenInterval",
        (
            ENOUGH,
            *latencies(BETWEEN, CANDIDATE, 10, BOTH_SLOW),
            *latencies(BETWEEN, MODEL, 0, BOTH_SLOW),
        ),
        60,
        firing=True,
        summary="The candidate's time between tokens (95%) is 0.19 s, more than 1.25 times the "
        "model's and above the objective of 0.1 s.",
    ),
    Case(
        "CandidateSlowerTokenInterval",
        (
            ENOUGH,
            *latencies(BETWEEN, CANDIDATE, 10, BOTH_SLOW),
            *latencies(BETWEEN, MODEL, 10, BOTH_SLOW),
        ),
        60,
        firing=False,
    ),
]

FINISHED = "vllm:request_success_total"
RESTARTS = "kube_pod_container_status_restarts_total"


def _failing(pod: str) -> Mapping[str, tuple[Series, ...]]:
    """Series of one pod that make an alert of replicas fire, by "concern alert"."""
    other = CANDIDATE if pod == MODEL else MODEL
    named = f'container="vllm",pod="{pod}"'
    return {
        "serving ModelUnavailable": (up("0x60", pod), up("1x60", other)),
        "serving ReplicaNotAnswering": (up("0x60", pod), up("1x60", other)),
        "serving ReplicaPending": (
            cluster("kube_pod_status_phase", "1x60", f'phase="Pending",pod="{pod}"'),
        ),
        "serving ReplicaCrashLoop": (cluster(RESTARTS, "0x5 1x5 2x60", named),),
        "serving ReplicaDrainsTooLong": (
            cluster("kube_pod_deletion_timestamp", "60x60", f'pod="{pod}"'),
        ),
        "serving RequestsWaiting": (
            up("1x60", pod),
            up("1x60", other),
            engine("vllm:num_requests_waiting", "900x60", pod),
            engine("vllm:num_requests_waiting", "0x60", other),
        ),
        "serving KeyValueCacheFull": (engine("vllm:kv_cache_usage_perc", "0.99x60", pod),),
        "serving EngineErrors": (
            engine(FINISHED, "0+50x60", pod, ',finished_reason="error"'),
            engine(FINISHED, "0+50x60", pod, ',finished_reason="stop"'),
            engine(FINISHED, "0+50x60", other, ',finished_reason="stop"'),
        ),
        "latency FirstTokenBudgetBurnsFast": (
            *latencies(FIRST, pod, 10, SLOW),
            *latencies(FIRST, other, 0, SLOW),
            engine(f"{FIRST}_count", "0+10x200", pod),
            engine(f"{FIRST}_count", "0+10x200", other),
        ),
    }


TOLD_APART: list[tuple[str, str, Case]] = [
    (
        name.partition(" ")[0],
        name.partition(" ")[2],
        Case(name.partition(" ")[2], series, 45, firing=pod == MODEL),
    )
    for pod in (MODEL, CANDIDATE)
    for name, series in _failing(pod).items()
]
"""Concern and alert of the model's replicas, and cases: only the model's pods make it fire."""
