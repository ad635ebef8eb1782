"""Reads range queries of vLLM's token and request counters from Prometheus."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TextIO

from breakeven.traffic.calls import model_name
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import json_entries
from breakeven.traffic.kind import Head, Import, Kind
from breakeven.traffic.requests import OTHER_MODEL
from breakeven.traffic.tally import MINUTE, ModelUse, Tally
from breakeven.traffic.values import TimeReader

QUERY = (
    '{__name__=~"vllm:(prompt_tokens|prompt_tokens_cached|generation_tokens|request_success)'
    '_total"}'
)
"""Range query whose answer has everything that is needed."""

_FIELDS = {
    "prompt_tokens_cached": "cached",
    "prompt_tokens": "input_tokens",
    "generation_tokens": "output_tokens",
    "request_success": "requests",
}
"""What a metric counts, by a part of its name; longer parts come first."""

_ENTERED = frozenset({(), ("data",), ("data", "result")})

_OTHER = ("by_source", "_created", "_bucket", "_sum", "_count")
_RATES = ("rate", "per_second")
_NEEDED = {
    "input_tokens": "vllm:prompt_tokens_total",
    "output_tokens": "vllm:generation_tokens_total",
    "requests": "vllm:request_success_total",
}

_BEGINS_AS_ANSWER = re.compile(r'\s*\{\s*"status"\s*:\s*"(success|error)"')

Point = tuple[float, float]
Increase = tuple[float, float, float]
"""Start, seconds and amount."""


@dataclass(slots=True)
class PrometheusReader:
    """Counts the answers of `/api/v1/query_range`, one file after the other, in order of time.

    The metric's name distinguishes counters from rates: `vllm:prompt_tokens_total` is a counter, a
    name with `rate` in it, as recording rules give, is in tokens or requests a second. A counter
    that falls was reset, and what it shows then came since; its first point only starts it.

    Attributes:
        times: Reads points' timestamps.
        tally: What is counted.
        counts: Tells by the label `model_name` whether to count a series.
    """

    times: TimeReader
    tally: Tally
    counts: Callable[[str], bool] = lambda _model: True
    _last: dict[str, Point] = field(default_factory=dict)
    _found: set[str] = field(default_factory=set)

    def read(self, text: TextIO, name: str, _head: Head | None = None, /) -> None:
        """Counts the answers of one file.

        Raises:
            TrafficError: It is not an answer to a range query, or its metrics have no names.
        """
        input_tokens, cached_told = 0.0, False
        for labels, values in _series(text, name):
            metric = str(labels.get("__name__", ""))
            counted = _counted(metric, name)
            if counted is None:
                continue
            self._found.add(counted)
            model = model_name(labels.get("model_name"))
            if not self.counts(model):
                self.tally.leave_out(OTHER_MODEL.replace("request to", "series of"))
                continue
            points = list(self._points(values, f"{name} {metric} point"))
            total = self._add(labels, counted, points, rates=_is_rate(metric))
            self._use(model, counted, total)
            input_tokens += total if counted == "input_tokens" else 0
            cached_told |= counted == "cached"
        if cached_told:
            self.tally.input_with_cached += input_tokens

    def finish(self) -> None:
        """Checks that every required metric was found.

        Raises:
            TrafficError: A metric is missing.
        """
        lacking = [metric for counted, metric in _NEEDED.items() if counted not in self._found]
        if lacking:
            msg = f"missing series {', '.join(lacking)}. Query all of them: {QUERY}"
            raise TrafficError(msg)

    def _points(self, values: Sequence[object], place: str) -> Iterator[Point]:
        for number, point in enumerate(values, start=1):
            try:
                yield self._point(point)
            except BadRowError as error:
                self.tally.reject(str(error), f"{place} {number}")

    def _point(self, point: object) -> Point:
        if not isinstance(point, list) or len(point) != 2:  # noqa: PLR2004 -- time and value
            msg = "row cannot be read"
            raise BadRowError(msg)
        moment = self.times(point[0])
        try:
            value = float(point[1])
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not 0 <= value < math.inf:
            msg = "value is not a number of 0 or more"
            raise BadRowError(msg)
        return moment, value

    def _add(
        self, labels: Mapping[str, object], counted: str, points: list[Point], *, rates: bool
    ) -> float:
        series = json.dumps(labels, sort_keys=True, default=str)
        points.sort()
        fresh = _after(points, self._last.get(series))
        for _ in range(len(points) - len(fresh)):
            self.tally.leave_out("point of a time that was read before")
        self.tally.rows += len(fresh)
        previous = self._last.get(series)
        if fresh:
            self._last[series] = fresh[-1]
        total = 0.0
        for start, seconds, amount in _of_rates(fresh) if rates else _increases(previous, fresh):
            self._interval(start, seconds, counted, amount)
            total += amount
        return total

    def _use(self, model: str, counted: str, total: float) -> None:
        use = ModelUse()
        setattr(use, "cached_tokens" if counted == "cached" else counted, total)
        self.tally.use(model, use)

    def _interval(self, start: float, seconds: float, counted: str, amount: float) -> None:
        if counted == "cached":
            self.tally.cached_tokens += amount
        else:
            try:
                self.tally.interval(start, seconds, **{counted: amount})
            except ValueError as error:
                msg = f"points are more than 31 days apart: {error}"
                raise TrafficError(msg) from error


def _series(text: TextIO, name: str) -> Iterator[tuple[Mapping[str, object], Sequence[object]]]:
    result_type = None
    for entry in json_entries(text, name, _ENTERED):
        if entry.path == ("data", "resultType"):
            result_type = entry.value
        elif entry.path == ("data", "result", "*") and isinstance(entry.value, dict):
            labels, values = entry.value.get("metric"), entry.value.get("values")
            if isinstance(labels, dict) and isinstance(values, list):
                yield labels, values
    if result_type is None:
        msg = f"{name}: not a Prometheus response, or an error response. Query {QUERY} again"
        raise TrafficError(msg)
    if result_type != "matrix":
        msg = f"{name}: an instant query response. Use /api/v1/query_range, with step=60"
        raise TrafficError(msg)


def _counted(metric: str, name: str) -> str | None:
    if not metric:
        msg = (
            f"{name}: a series without a metric name, so what it counts is unknown. Query the "
            f"counters directly: {QUERY}"
        )
        raise TrafficError(msg)
    if any(part in metric for part in _OTHER):
        return None
    return next((counted for part, counted in _FIELDS.items() if part in metric), None)


def _is_rate(metric: str) -> bool:
    return not metric.endswith("_total") and any(part in metric for part in _RATES)


def _after(points: list[Point], last: Point | None) -> list[Point]:
    fresh: list[Point] = []
    before = last[0] if last else -math.inf
    for moment, value in points:
        if moment > before:
            fresh.append((moment, value))
            before = moment
    return fresh


def _increases(previous: Point | None, points: list[Point]) -> Iterator[Increase]:
    for moment, value in points:
        if previous:
            before, counter = previous
            yield before, moment - before, value - counter if value >= counter else value
        previous = moment, value


def _of_rates(points: list[Point]) -> Iterator[Increase]:
    """Each rate applies to the step before its point, so gaps between points are not counted."""
    times = [moment for moment, _ in points]
    steps = (later - earlier for earlier, later in pairwise(times))
    step = min(steps, default=float(MINUTE))
    for moment, rate in points:
        yield moment - step, step, rate * step


def _recognizes(head: Head) -> bool:
    return head.is_json and (
        bool(_BEGINS_AS_ANSWER.match(head.text)) or head.names == {"status", "data"}
    )


def _reader(shared: Import) -> PrometheusReader:
    return PrometheusReader(shared.utc, shared.tally, shared.counts)


PROMETHEUS = Kind("prometheus", _recognizes, _reader)
