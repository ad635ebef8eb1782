"""Reads the results of load generators: vllm bench serve, guidellm, genai-perf and aiperf.

Fields: of vLLM 0.24 to 0.31, guidellm 0.8, genai-perf 0.0.16 and aiperf 0.3, read on 2026-11-30.
Only a replica that always had a request waiting shows what it can serve: runs at a rate that was
kept, and runs that sent everything at once, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from breakeven.measurements.record import Point

_KEPT = 0.95
"""Share of a stated rate from which on it counts as kept, so that the replica had time to spare."""

_FAILED = 0.05
"""Share of failed requests above which a run is not used."""


_FASTEST = 1e7
"""Output tokens per second of a replica beyond which a result is a mistake, as in the settings."""


class ResultError(ValueError):
    """An invalid result; the message names the file, what was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of a load generator.

    Attributes:
        model: Name under which the model was served; empty where the result does not say.
        tool: What made the load.
        day: On which it ran; None where the result does not say.
        input_tokens: Mean input of a request.
        output_tokens: Mean output of a request.
        point: What was served.
    """

    model: str
    tool: str
    day: date | None
    input_tokens: float
    output_tokens: float
    point: Point


def read_results(text: str, name: str) -> tuple[Result, ...]:
    """Reads the runs of a result file.

    Args:
        text: JSON of one of the tools; of `vllm bench serve` also a line for each run.
        name: Of the file, for messages.

    Raises:
        ResultError: It is of no known tool, damaged, or tells nothing about a full replica.
    """
    documents = _documents(text, name)
    found: list[Result] = []
    for document in documents:
        reader = next((read for marks, read in _TOOLS if marks <= document.keys()), None)
        if reader is None:
            seen = ", ".join(list(document)[:5])
            msg = (
                f"{name}: unknown fields {seen}, …. Allowed: results of vllm bench serve "
                "(--save-result), guidellm, genai-perf and aiperf as JSON"
            )
            raise ResultError(msg)
        try:
            found.extend(reader(document, name))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, ResultError):
                raise
            msg = f"{name}: a field is missing or not a number ({error!r}). Save the result again"
            raise ResultError(msg) from error
    for result in found:
        _check(result, name)
    return tuple(found)


def _documents(text: str, name: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            msg = f"{name}: not JSON. Give the result file of the load generator"
            raise ResultError(msg) from error
    listed = document if isinstance(document, list) else [document]
    if not listed or not all(isinstance(one, dict) for one in listed):
        msg = f"{name}: contains no result. Give the result file of the load generator"
        raise ResultError(msg)
    return listed


def _vllm(run: Mapping[str, Any], name: str) -> Sequence[Result]:
    completed = int(run["completed"])
    rate = run.get("request_rate", "inf")
    limit = run.get("max_concurrency")
    _refuse_kept_rate(rate, float(run["request_throughput"]), name)
    if not limit:
        msg = (
            f"{name}: all requests were sent at once, so the mean includes the start and end of "
            "the run. Measure again with --max-concurrency"
        )
        raise ResultError(msg)
    stamp = str(run.get("date", ""))
    return [
        Result(
            model=str(run.get("model_id", "")),
            tool="vllm bench serve",
            day=datetime.strptime(stamp[:8], "%Y%m%d").replace(tzinfo=UTC).date()
            if stamp[:8].isdecimal()
            else None,
            input_tokens=int(run["total_input_tokens"]) / completed,
            output_tokens=int(run["total_output_tokens"]) / completed,
            point=Point(
                concurrency=min(int(limit), completed),
                output_tokens_per_second=float(run["output_throughput"]),
                first_token_seconds=_seconds(run.get("p95_ttft_ms")),
                inter_token_seconds=_seconds(run.get("p95_itl_ms", run.get("p95_tpot_ms"))),
                requests=completed,
                failed=int(run.get("failed", 0)),
            ),
        )
    ]


def _refuse_kept_rate(rate: object, served: float, name: str) -> None:
    if rate in (None, "inf"):
        return
    asked = float(rate)  # type: ignore[arg-type]  # a TypeError is caught by the caller
    if served >= _KEPT * asked:
        msg = (
            f"{name}: the replica served all {asked:g} requests per second, so it was not full. "
            "Measure again with --request-rate inf and --max-concurrency"
        )
        raise ResultError(msg)


def _guidellm(document: Mapping[str, Any], name: str) -> Sequence[Result]:
    version = document.get("metadata", {}).get("guidellm_version", "")
    return [_guidellm_run(run, version, name) for run in document["benchmarks"]]


def _guidellm_run(run: Mapping[str, Any], version: str, name: str) -> Result:
    metrics = run["metrics"]

    def value(metric: str, statistic: str = "mean") -> float:
        found = metrics[metric]["successful"]
        return float(found["percentiles"]["p95"] if statistic == "p95" else found[statistic])

    strategy = run["config"]["strategy"]
    kind = strategy.get("type_") or strategy.get("kind")
    if kind not in ("concurrent", "throughput", "synchronous"):
        msg = (
            f"{name}: a run at a {kind} rate does not show what a full replica serves. Measure "
            "again with the profile concurrent"
        )
        raise ResultError(msg)
    totals = metrics["request_totals"]
    streams = strategy.get("streams") or (1 if kind == "synchronous" else None)
    backend = run["config"].get("backend") or {}
    started = run.get("start_time") or run.get("duration_start_time")
    return Result(
        model=str(backend.get("model") or ""),
        tool=f"guidellm {version}".strip(),
        day=datetime.fromtimestamp(float(started), UTC).date() if started else None,
        input_tokens=value("prompt_token_count"),
        output_tokens=value("output_token_count"),
        point=Point(
            concurrency=int(streams or round(value("request_concurrency"))),
            output_tokens_per_second=value("output_tokens_per_second"),
            first_token_seconds=_seconds(value("time_to_first_token_ms", "p95")),
            inter_token_seconds=_seconds(value("inter_token_latency_ms", "p95")),
            requests=int(totals["successful"]),
            failed=int(totals.get("errored", 0)),
        ),
    )


def _perf(document: Mapping[str, Any], name: str) -> Sequence[Result]:
    """Reads genai-perf and aiperf, which is its successor and keeps its fields."""
    settings = document.get("input_config") or {}
    is_aiperf = "loadgen" in settings
    load = settings.get("loadgen") or settings.get("perf_analyzer", {}).get("stimulus") or {}
    concurrency = load.get("concurrency")
    if not concurrency:
        msg = (
            f"{name}: the run had no fixed concurrency, so it is unknown whether the replica was "
            "full. Measure again with --concurrency"
        )
        raise ResultError(msg)
    endpoint = settings.get("endpoint") or settings
    names = endpoint.get("model_names") or settings.get("model_names") or [""]
    started = str(document.get("start_time", ""))
    failed = document.get("error_request_count") or {}
    return [
        Result(
            model=str(names[0]),
            tool="aiperf" if is_aiperf else "genai-perf",
            day=date.fromisoformat(started[:10]) if started else None,
            input_tokens=float(document["input_sequence_length"]["avg"]),
            output_tokens=float(document["output_sequence_length"]["avg"]),
            point=Point(
                concurrency=int(concurrency),
                output_tokens_per_second=float(document["output_token_throughput"]["avg"]),
                first_token_seconds=_seconds(document.get("time_to_first_token", {}).get("p95")),
                inter_token_seconds=_seconds(document.get("inter_token_latency", {}).get("p95")),
                requests=int(document["request_count"]["avg"]),
                failed=int(failed.get("avg") or 0),
            ),
        )
    ]


_TOOLS: tuple[tuple[frozenset[str], Callable[[Mapping[str, Any], str], Sequence[Result]]], ...] = (
    (frozenset({"output_throughput", "total_output_tokens", "completed"}), _vllm),
    (frozenset({"benchmarks"}), _guidellm),
    (frozenset({"output_token_throughput", "output_sequence_length", "request_count"}), _perf),
)
"""By fields that only this tool writes."""


def _check(result: Result, name: str) -> None:
    point = result.point
    tried = point.requests + point.failed
    if point.requests < 1 or point.failed > _FAILED * tried:
        msg = (
            f"{name}: {point.failed:,} of {tried:,} requests failed at concurrency "
            f"{point.concurrency}. Check the engine's log, then measure again"
        )
        raise ResultError(msg)
    speed = point.output_tokens_per_second
    if not (0 < speed < _FASTEST and result.input_tokens >= 1 and result.output_tokens >= 1):
        msg = (
            f"{name}: implausible result: {speed:g} output tokens per second, with "
            f"{result.input_tokens:g} input and {result.output_tokens:g} output tokens per "
            "request. Measure again"
        )
        raise ResultError(msg)


def _seconds(milliseconds: object) -> float | None:
    return None if milliseconds is None else float(milliseconds) / 1000  # type: ignore[arg-type]  # a TypeError is caught by the caller
