"""Published measurements of throughput, to be used before any formula."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

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
        source: Who published it.
        as_of: Day on which the source was read.
        held_out: Whether the roofline's fit can't have seen it.
    """

    model: str
    precision: str
    gpu: str
    tensor_parallel: int
    input_tokens: int
    output_tokens: int
    concurrency: int
    output_tokens_per_second: float
    source: str
    as_of: date
    held_out: bool

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
    """Yields measurements of the same engine with requests of nearly the same length.

    Models of the same shape count as the same: only training differs, and it takes no time here.
    """
    for point in load_points():
        if (
            (point.precision, point.gpu) == (engine.precision, engine.gpu.name)
            and point.tensor_parallel == engine.tensor_parallel
            and engine.pipeline_parallel == 1
            and _shape(find_model(point.model)) == _shape(engine.model)
            and within_factor(point.input_tokens, request.input_tokens, LENGTH_FACTOR)
            and within_factor(point.output_tokens, request.output_tokens, LENGTH_FACTOR)
        ):
            yield point


def within_factor(one: float, other: float, factor: float) -> bool:
    """Tells whether two positive numbers differ by no more than a factor."""
    return max(one, other) <= factor * min(one, other)


def _shape(model: ModelFacts) -> tuple[object, ...]:
    return (model.parts, model.layers, model.hidden_size, model.groups)
