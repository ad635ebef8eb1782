"""Current problems, and where to look: for those on call."""

from __future__ import annotations

from breakeven.manifests.monitoring.dashboards.board import Board, Query, quantile
from breakeven.manifests.monitoring.dashboards.candidate import candidate_and_model
from breakeven.manifests.monitoring.dashboards.gateway import gateway_requests
from breakeven.manifests.monitoring.gpu_exporter import HEAT, exporter_of
from breakeven.manifests.monitoring.promql import (
    engine_selector,
    namespace_selector,
    recorded,
    target_selector,
)
from breakeven.settings.stack import Settings


def on_call(settings: Settings) -> Board:
    """Returns the dashboard."""
    result = Board(settings, "on call", "6h")
    engine, cluster = engine_selector(settings), namespace_selector(settings)
    result.table(
        "Alerts",
        f'ALERTS{{{cluster},alertstate="firing"}}',
        explained="Firing alerts. Each alert's runbook_url says what to do.",
    )
    _now(result, settings)
    if settings.tried is not None:
        candidate_and_model(result, settings, settings.tried)
    result.row("Requests")
    result.lines(
        "Requests",
        "short",
        Query(recorded(settings, "requests_running:sum"), "running"),
        Query(recorded(settings, "requests_waiting:sum"), "waiting"),
        explained="Waiting requests grow if there are too few replicas or they are too slow.",
    )
    result.lines(
        "Completed requests per second",
        "reqps",
        Query(
            f"sum by (finished_reason) (rate(vllm:request_success_total{{{engine}}}[5m]))",
            "{{finished_reason}}",
        ),
        explained="error: engine error. abort: the client disconnected, or a replica was stopped.",
    )
    _latency(result, settings)
    result.row("Replicas")
    result.lines(
        "Replicas",
        "short",
        Query(recorded(settings, "replicas:up"), "answer"),
        Query(recorded(settings, "replicas:there"), "there"),
        explained="A replica that exists but does not answer is starting or hangs.",
    )
    result.lines(
        "KV cache in use",
        "percentunit",
        Query(f"vllm:kv_cache_usage_perc{{{engine}}}", "{{pod}}"),
        explained="Above 90%, a replica accepts hardly any more requests.",
    )
    result.lines(
        "Preempted requests per second",
        "reqps",
        Query(f"sum by (pod) (rate(vllm:num_preemptions_total{{{engine}}}[5m]))", "{{pod}}"),
        explained="Preempted requests are recomputed, so their work is paid for twice.",
    )
    result.lines(
        "Restarts per hour",
        "short",
        Query(
            "sum by (pod) (increase(kube_pod_container_status_restarts_total"
            f'{{{cluster},container="vllm"}}[1h]))',
            "{{pod}}",
        ),
        explained="Two or more: read the log of the previous run.",
    )
    if settings.gateway.is_on:
        gateway_requests(result, settings)
    if settings.monitoring.gpu_metrics:
        _gpus(result, settings)
    return result


def _now(result: Board, settings: Settings) -> None:
    objective = float(settings.traffic.time_to_first_token_seconds)
    result.figure(
        "Replicas that answer",
        "short",
        f"sum(up{{{target_selector(settings)}}})",
        explained=f"Between {settings.replicas.min} and {settings.replicas.max}.",
    )
    result.figure(
        "Waiting",
        "short",
        recorded(settings, "requests_waiting:sum"),
        explained="Requests that wait for a slot in a batch.",
        alarm=settings.replicas.target_waiting * settings.replicas.max,
    )
    result.figure(
        "First token, 95%",
        "s",
        quantile(recorded(settings, "first_token_seconds_bucket:rate5m"), "0.95"),
        explained=f"95% of requests get their first token sooner; objective {objective:g} s.",
        alarm=objective,
    )
    interval = float(settings.traffic.inter_token_latency_seconds)
    result.figure(
        "Between tokens, 95%",
        "s",
        quantile(recorded(settings, "token_interval_seconds_bucket:rate5m"), "0.95"),
        explained=f"95% of tokens follow sooner; objective {interval:g} s.",
        alarm=interval,
    )
    result.figure(
        "Fullest KV cache",
        "percentunit",
        f"max(vllm:kv_cache_usage_perc{{{engine_selector(settings)}}})",
        explained="Of the replica with the least room.",
        alarm=0.9,
    )
    finished = f"vllm:request_success_total{{{engine_selector(settings)}"
    result.figure(
        "Errors",
        "percentunit",
        f'(sum(rate({finished},finished_reason="error"}}[15m])) or vector(0)) '
        f"/ (sum(rate({finished}}}[15m])) > 0)",
        explained="Share of requests that end with an engine error.",
        alarm=0.01,
    )


def _latency(result: Board, settings: Settings) -> None:
    for title, name, objective in (
        (
            "Time to first token",
            "first_token_seconds_bucket:rate5m",
            settings.traffic.time_to_first_token_seconds,
        ),
        (
            "Time between tokens",
            "token_interval_seconds_bucket:rate5m",
            settings.traffic.inter_token_latency_seconds,
        ),
    ):
        series = recorded(settings, name)
        result.lines(
            title,
            "s",
            Query(quantile(series, "0.5"), "half"),
            Query(quantile(series, "0.95"), "95%"),
            Query(quantile(series, "0.99"), "99%"),
            Query(f"vector({objective})", "objective for 95%"),
            explained="Interpolated between the bounds of vLLM's buckets.",
        )


def _gpus(result: Board, settings: Settings) -> None:
    result.row("GPUs")
    exporter = exporter_of(settings)
    if exporter.has_xid:
        result.lines(
            "Last Xid",
            "short",
            Query(recorded(settings, "gpu_xid:last"), "{{Hostname}} GPU {{gpu}}"),
            explained="0 means none. The exporter shows the last Xid until it restarts.",
        )
    else:
        result.lines(
            "Uncorrectable memory errors",
            "short",
            Query(
                recorded(settings, "gpu_uncorrected_errors:increase1h"), "{{Hostname}} GPU {{gpu}}"
            ),
            explained="In the last hour. The exporter does not report codes of other errors.",
        )
    result.lines(
        "Thermal throttling",
        "short",
        Query(
            f"{recorded(settings, 'gpu_thermal_throttling:rate5m')} > bool 0",
            "{{Hostname}} GPU {{gpu}}",
        ),
        explained="1 while throttled. Empty if the exporter does not collect "
        f"{exporter.metrics[HEAT]} (docs/monitoring.md).",
    )
