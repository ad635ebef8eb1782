"""Cases of charts/monitoring/rules/serving.yaml.j2.

The stack has up to 8 replicas, replicas.targetRequests 48 and replicas.targetWaiting 5.
"""

from __future__ import annotations

from tests.prometheus.cases.series import Case, Series, cluster, engine, up, waiting

FINISHED = "vllm:request_success_total"
PREEMPTED = "vllm:num_preemptions_total"
CACHE = "vllm:kv_cache_usage_perc"
STOP = ',finished_reason="stop"'
RESTARTS = "kube_pod_container_status_restarts_total"


def pending(values: str) -> Series:
    return cluster("kube_pod_status_phase", values, 'phase="Pending",pod="model-a"')


def deleted(values: str) -> Series:
    return cluster("kube_pod_deletion_timestamp", values, 'pod="model-a"')


CASES = [
    Case("ModelUnavailable", (up("1x30", "a"), up("0x30", "b")), 10, firing=False),
    Case("ModelUnavailable", (up("0x30", "a"), up("0x30", "b")), 10, firing=True),
    Case("ModelUnavailable", (up("0x30"),), 1, firing=False),  # a restart of Prometheus' target
    Case("ModelUnavailable", (), 10, firing=True),  # not even a target
    Case("ReplicaNotAnswering", (up("1x60", "a"), up("0x60", "b")), 10, firing=False),  # it starts
    Case(
        "ReplicaNotAnswering",
        (up("1x60", "a"), up("0x60", "b")),
        30,
        firing=True,
        summary="Replica b has not answered for longer than a start takes.",
        labels={"pod": "b", "job": "llm/model"},
    ),
    Case("ReplicaPending", (pending("1x60"),), 15, firing=False),  # a node takes that long
    Case(
        "ReplicaPending",
        (pending("1x60"),),
        30,
        firing=True,
        summary="Pod model-a is waiting for a node, a volume, or an image.",
        labels={"pod": "model-a"},
    ),
    Case(
        "ReplicaCrashLoop",
        (cluster(RESTARTS, "0x5 1x60", 'container="vllm",pod="model-a"'),),
        30,
        firing=False,
    ),
    Case(
        "ReplicaCrashLoop",
        (cluster(RESTARTS, "0x5 1x5 2x60", 'container="vllm",pod="model-a"'),),
        30,
        firing=True,
        summary="Replica model-a restarted at least twice within an hour.",
        labels={"pod": "model-a", "container": "vllm"},
    ),
    # The grace ends at minute 10; a kill takes a while to be seen.
    Case("ReplicaDrainsTooLong", (deleted("600x20"),), 10, firing=False),
    Case("ReplicaDrainsTooLong", (deleted("600x10 stale"),), 13, firing=False),
    Case(
        "ReplicaDrainsTooLong",
        (deleted("600x30"),),
        15,
        firing=True,
        summary="Replica model-a should have stopped 5m 0s ago but still holds its GPU.",
        labels={"pod": "model-a"},
    ),
    Case(
        "RequestsWaiting",
        (up("1x30", "a"), up("1x30", "b"), waiting("5x30", "a"), waiting("5x30", "b")),
        20,
        firing=False,
    ),
    Case(
        "RequestsWaiting",
        (up("1x30", "a"), up("1x30", "b"), waiting("11x30", "a"), waiting("0x30", "b")),
        20,
        firing=True,
        summary="11 requests are waiting, more than the replicas accept.",
    ),
    Case("RequestsWaiting", (up("1x30"), waiting("11x30")), 5, firing=False),
    # Twenty more a minute: 600 in half an hour, above 8 x 48 = 384.
    Case(
        "QueueGrows",
        (up("1x60"), waiting("0+20x60")),
        30,
        firing=True,
        summary="The queue is growing; in half an hour 1.2k requests will be waiting.",
    ),
    # Five more a minute: 300, which the fleet may still grow to take.
    Case("QueueGrows", (up("1x60"), waiting("0+5x60")), 30, firing=False),
    # A burst of 500 that is worked off.
    Case("QueueGrows", (up("1x60"), waiting("0x5 500-10x50")), 20, firing=False),
    Case("KeyValueCacheFull", (engine(CACHE, "0.85x30"),), 20, firing=False),
    Case(
        "KeyValueCacheFull",
        (engine(CACHE, "0.95x30"),),
        20,
        firing=True,
        summary="95% of the KV cache of model-a is in use.",
        labels={"pod": "model-a", "engine": "0"},
    ),
    Case(
        "RequestsPreempted",
        (engine(PREEMPTED, "0+4x60"), engine(FINISHED, "0+100x60", more=STOP)),
        45,
        firing=False,
    ),
    Case(
        "RequestsPreempted",
        (engine(PREEMPTED, "0+10x60"), engine(FINISHED, "0+100x60", more=STOP)),
        45,
        firing=True,
    ),
    Case(
        "EngineErrors",
        (
            engine(FINISHED, "0+100x60", more=STOP),
            engine(FINISHED, "0+2x60", more=',finished_reason="error"'),
        ),
        30,
        firing=True,
    ),
    Case(
        "EngineErrors",
        (
            engine(FINISHED, "0+100x60", more=STOP),
            engine(FINISHED, "0+50x60", more=',finished_reason="abort"'),
        ),
        30,
        firing=False,  # clients that leave are no errors
    ),
]
