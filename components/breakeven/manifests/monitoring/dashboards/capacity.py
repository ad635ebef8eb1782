"""Utilization and free capacity of the fleet: for those who decide about replicas and GPUs."""

from __future__ import annotations

from breakeven.manifests.monitoring.dashboards.board import Board, Query
from breakeven.manifests.monitoring.promql import (
    engine_pods,
    engine_selector,
    namespace_selector,
    quoted,
    recorded,
    replicas_asked_for,
)
from breakeven.settings.stack import Settings


def capacity(settings: Settings) -> Board:
    """Returns the dashboard."""
    result = Board(settings, "capacity", "7d")
    replicas = settings.replicas
    there = recorded(settings, "replicas:there")
    result.row("Load and headroom")
    result.lines(
        "Busy share of the replicas",
        "percentunit",
        Query(recorded(settings, "busy:ratio"), "now"),
        Query(recorded(settings, "planned_busy:ratio"), "planned, mean of a week"),
        explained="Tokens per second divided by the estimated capacity of the running replicas; "
        "above 100%, the estimate was too low. Idle time is paid for as well.",
    )
    result.lines(
        "Requests compared with the scaling target",
        "short",
        Query(
            f"{recorded(settings, 'requests_running:sum')} + "
            f"{recorded(settings, 'requests_waiting:sum')}",
            "in flight",
        ),
        Query(f"{there} * {replicas.target_requests}", "replicas.targetRequests x replicas"),
        Query(f"vector({replicas.target_requests * replicas.max})", "with all replicas"),
        explained="Above the last line, replicas.max is the limit.",
    )
    _tokens(result, settings)
    result.row("Replicas and nodes")
    _fleet(result, settings)
    if settings.monitoring.gpu_metrics:
        _gpus(result, settings)
    return result


def _tokens(result: Board, settings: Settings) -> None:
    engine = engine_selector(settings)
    result.lines(
        "Tokens per second",
        "short",
        Query(recorded(settings, "input_tokens:rate5m"), "input"),
        Query(recorded(settings, "output_tokens:rate5m"), "output"),
        explained="Input includes cached tokens.",
    )
    result.lines(
        "Tokens of the last 24 hours",
        "short",
        Query(recorded(settings, "tokens:increase1d"), "served"),
        Query(recorded(settings, "planned_tokens:per_day"), "planned"),
        explained="Input and output.",
    )
    result.lines(
        "Input found in the prefix cache",
        "percentunit",
        Query(
            f"sum(rate(vllm:prefix_cache_hits_total{{{engine}}}[5m])) / "
            f"(sum(rate(vllm:prefix_cache_queries_total{{{engine}}}[5m])) > 0)",
            "share of tokens",
        ),
        explained="The plan has traffic.cachedInputPercent.",
    )
    result.lines(
        "KV cache in use",
        "percentunit",
        Query(f"max(vllm:kv_cache_usage_perc{{{engine}}})", "fullest"),
        Query(f"avg(vllm:kv_cache_usage_perc{{{engine}}})", "mean"),
        explained="It limits the requests that a replica runs at once.",
    )


def _fleet(result: Board, settings: Settings) -> None:
    cluster = namespace_selector(settings)
    result.lines(
        "Replicas",
        "short",
        Query(recorded(settings, "replicas:up"), "answer"),
        Query(replicas_asked_for(settings), "asked for"),
        Query(f"vector({settings.replicas.min})", "replicas.min"),
        Query(f"vector({settings.replicas.max})", "replicas.max"),
        explained="Desired: by the autoscaler or the stack.",
    )
    result.lines(
        "GPU nodes",
        "short",
        Query(recorded(settings, "nodes:paid"), "paid"),
        Query(
            f"count(count by (node) (kube_pod_info{{{cluster},"
            f"pod=~{quoted(engine_pods(settings))}}}))",
            "with a replica of this model",
        ),
        Query(recorded(settings, "planned_nodes:mean"), "planned, mean"),
        explained="Paid: replicas divided by replicas per node, rounded up; all nodes in a pool of "
        "fixed size.",
    )


def _gpus(result: Board, settings: Settings) -> None:
    result.row("GPUs")
    for title, unit, name, explained in (
        (
            "GPU utilization",
            "percentunit",
            "gpu_utilisation:ratio",
            "Share of time in which anything ran; 100% does not mean full.",
        ),
        (
            "GPU memory in use",
            "mbytes",
            "gpu_memory_used:mebibytes",
            "vLLM takes engine.gpuMemoryUtilization of it when it starts.",
        ),
        ("GPU power", "watt", "gpu_power:watts", "Draw of the card."),
        (
            "GPU temperature",
            "celsius",
            "gpu_temperature:celsius",
            "Each GPU type throttles at a different temperature.",
        ),
    ):
        series = Query(recorded(settings, name), "{{pod}} GPU {{gpu}}")
        result.lines(title, unit, series, explained=explained)
