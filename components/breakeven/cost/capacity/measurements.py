"""Published measurements of throughput, to be used before any formula."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

from breakeven.catalog.models import ModelFacts, find_model
from breakeven.cost.capacity.roofline import Engine, RequestShape

LENGTH_FACTOR = 1.25
"""Input and output may each be longer or shorter than in the measurement by this factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPoint:
    """One published measurement of a replica.

    Attributes:
        model: Name in `models.json`.
        precision: Of the weights.
        gpu: Name in `gpus.json`.
        tensor_parallel: GPUs of the replica.
        input_tokens: Of each request.
        output_tokens: Of each request.
        concurrency: Requests sent at the same time.
        output_tokens_per_second: What was measured.
        engine: Version of the engine, as published.
        kind: "steady" for so many requests in flight at all times, "rate" for requests that came at
            a rate and were so many in flight in the mean, "burst" for a whole run with its start
            and its end, which tells nothing about a steady state.
        license: Of the source; of CC-BY ones the source has to be named with the figure.
        source: Who published it.
        as_of: Day on which the source was read.
    """

    model: str
    precision: str
    gpu: str
    tensor_parallel: int
    input_tokens: int
    output_tokens: int
    concurrency: int
    output_tokens_per_second: float
    engine: str
    kind: Literal["steady", "rate", "burst"]
    license: str
    source: str
    as_of: date

    @property
    def request(self) -> RequestShape:
        """The requests of the measurement."""
        return RequestShape(input_tokens=self.input_tokens, output_tokens=self.output_tokens)


@cache
def load_points() -> tuple[MeasuredPoint, ...]:
    """Returns all published measurements."""
    data = resources.files("breakeven.catalog") / "data"
    text = (data / "throughput.json").read_text(encoding="utf-8")
    return tuple(
        MeasuredPoint(**{**entry, "as_of": date.fromisoformat(entry["as_of"])})
        for entry in json.loads(text)["points"]
    )


def comparable_points(engine: Engine, request: RequestShape) -> Iterator[MeasuredPoint]:
    """Yields measurements of the same engine in steady state, requests being of nearly its length.

    Models of the same shape count as the same: only training differs, and it takes no time here.
    """
    if engine.pipeline_parallel > 1:
        return
    key = engine.precision, engine.gpu.name, engine.tensor_parallel
    for point in _points_by_engine().get(key, ()):
        if (
            within_factor(point.input_tokens, request.input_tokens, LENGTH_FACTOR)
            and within_factor(point.output_tokens, request.output_tokens, LENGTH_FACTOR)
            and _shape(find_model(point.model)) == _shape(engine.model)
        ):
            yield point


@cache
def _points_by_engine() -> Mapping[tuple[str, str, int], Sequence[MeasuredPoint]]:
    found: dict[tuple[str, str, int], list[MeasuredPoint]] = {}
    for point in load_points():
        if point.kind == "steady":
            found.setdefault((point.precision, point.gpu, point.tensor_parallel), []).append(point)
    return found


def within_factor(one: float, other: float, factor: float) -> bool:
    """Tells whether two positive numbers differ by no more than a factor."""
    return max(one, other) <= factor * min(one, other)


def _shape(model: ModelFacts) -> tuple[object, ...]:
    return (model.parts, model.layers, model.hidden_size, model.groups)
