"""Azure OpenAI: metrics from `az monitor metrics list` and the metrics API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from breakeven.traffic.buckets import members
from breakeven.traffic.calls import model_name, other_call
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import page_rows
from breakeven.traffic.kind import Head, Import, Kind
from breakeven.traffic.requests import OTHER_MODEL
from breakeven.traffic.tally import ModelUse
from breakeven.traffic.values import read_count

QUERY = (
    "az monitor metrics list --resource ID --interval PT1M --aggregation Total "
    "--metrics ProcessedPromptTokens GeneratedTokens AzureOpenAIRequests"
)
"""Command that writes everything that is needed to one file."""

_INPUT, _OUTPUT, _REQUESTS = "input tokens", "output tokens", "number of requests"
_METRICS: Mapping[str, str] = {
    "ProcessedPromptTokens": _INPUT,
    "InputTokens": _INPUT,
    "GeneratedTokens": _OUTPUT,
    "OutputTokens": _OUTPUT,
    "AzureOpenAIRequests": _REQUESTS,
    "ModelRequests": _REQUESTS,
}
"""What a metric counts; the second name of each is that of Microsoft Foundry models."""

_INTERVAL = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?)?")
_MODEL = ("modelname", "modeldeploymentname")
_SHAPE = re.compile(r'"timeseries"\s*:\s*\[')


@dataclass(slots=True)
class _Reader:
    """Counts answers, one file after the other."""

    shared: Import
    _found: set[str] = field(default_factory=set)

    def read(self, text: TextIO, name: str, _head: Head) -> None:
        told: dict[str, object] = {}
        metrics = list(page_rows(text, name, "value", told))
        counted = {what for _, metric in metrics if (what := _METRICS.get(_name(metric)))}
        self._found |= counted
        for line, metric in metrics:
            what = _METRICS.get(_name(metric))
            if what is not None and isinstance(metric, dict):
                self._metric(metric, what, told, f"{name} line {line}", _REQUESTS in counted)

    def finish(self) -> None:
        """Checks that the file has token metrics.

        Raises:
            TrafficError: It does not.
        """
        lacking = {_INPUT, _OUTPUT} - self._found
        if lacking:
            msg = f"missing metric {' and '.join(sorted(lacking))}. Request all of them: {QUERY}"
            raise TrafficError(msg)

    def _metric(
        self,
        metric: Mapping[str, object],
        what: str,
        told: Mapping[str, object],
        place: str,
        counts_requests: bool,  # noqa: FBT001 -- of the file
    ) -> None:
        for series, model in _series(metric):
            reason = other_call(None, model)
            if not reason and not self.shared.counts(model):
                reason = OTHER_MODEL
            seconds = _seconds(metric.get("interval") or told.get("interval"))
            for point in filter(None, members(series, "data") or []):
                if reason:
                    self.shared.tally.leave_out(reason)
                    continue
                try:
                    self._point(point, what, model, seconds, counts_requests)
                except BadRowError as error:
                    self.shared.tally.reject(str(error), place)

    def _point(
        self,
        point: Mapping[str, object],
        what: str,
        model: str,
        seconds: float,
        counts_requests: bool,  # noqa: FBT001
    ) -> None:
        start = self.shared.utc(point.get("timeStamp"))
        amount = read_count(point.get("total"), what) or 0
        end = self.shared.ended(start, start + seconds) if amount else start + seconds
        tally = self.shared.tally
        tally.rows += 1
        if not amount and start >= self.shared.now:
            return
        read = amount if what == _INPUT else 0
        written = amount if what == _OUTPUT else 0
        requests = amount if what == _REQUESTS else 0
        tally.interval(
            start,
            end - start,
            requests=requests if counts_requests else None,
            input_tokens=read,
            output_tokens=written,
        )
        tally.use(model, ModelUse(requests, read, written))


def _name(metric: object) -> str:
    name = metric.get("name") if isinstance(metric, Mapping) else None
    return str(name.get("value", "")) if isinstance(name, Mapping) else str(name or "")


def _series(metric: Mapping[str, object]) -> Iterator[tuple[Mapping[str, object], str]]:
    listed = metric.get("timeseries")
    for series in listed if isinstance(listed, list) else []:
        if isinstance(series, Mapping):
            labels = series.get("metadatavalues")
            yield series, _model(labels if isinstance(labels, list) else [])


def _model(labels: list[object]) -> str:
    named = {_name(label).lower(): label for label in labels if isinstance(label, Mapping)}
    found = (named[name].get("value") for name in _MODEL if name in named)
    return model_name(next(found, None))


def _seconds(interval: object) -> float:
    match = _INTERVAL.fullmatch(str(interval))
    parts = {name: int(value or 0) for name, value in (match.groupdict() if match else {}).items()}
    seconds = parts.get("d", 0) * 86_400 + parts.get("h", 0) * 3_600 + parts.get("m", 0) * 60
    if not seconds:
        msg = f"missing interval in the response. Request one: {QUERY}"
        raise TrafficError(msg)
    return seconds


def _recognizes(head: Head) -> bool:
    return head.is_json and bool(_SHAPE.search(head.text))


AZURE_MONITOR = Kind("azure-monitor", _recognizes, _Reader)
