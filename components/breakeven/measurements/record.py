"""The record of a measurement: what was measured, on what, and by whom."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from breakeven.measurements.signature import Kind, read_signed

VERSION = 1

LENGTH_FACTOR = 1.25
"""Input and output may each be longer or shorter than measured by this factor."""

CACHED_PERCENT = 10
"""The cached share of the input may differ from the measured one by so many points."""


class RecordError(ValueError):
    """An invalid record; the message names the file, what was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one replica served with so many requests in flight at all times.

    Attributes:
        concurrency: Requests in flight, 1 or more.
        output_tokens_per_second: Of all requests, over 0.
        first_token_seconds: Time to the first token, 95th percentile; None where not measured.
        inter_token_seconds: Time between tokens, 95th percentile; None where not measured.
        requests: Completed, 1 or more.
        failed: Requests that failed.
    """

    concurrency: int
    output_tokens_per_second: float
    first_token_seconds: float | None
    inter_token_seconds: float | None
    requests: int
    failed: int = 0

    def towards(self, other: Point, concurrency: int) -> Point:
        """Returns what lies on the straight line to a point of more requests in flight."""
        part = (concurrency - self.concurrency) / (other.concurrency - self.concurrency)

        def between(one: float | None, another: float | None) -> float | None:
            return None if one is None or another is None else one + part * (another - one)

        speed = self.output_tokens_per_second
        return Point(
            concurrency=concurrency,
            output_tokens_per_second=speed + part * (other.output_tokens_per_second - speed),
            first_token_seconds=between(self.first_token_seconds, other.first_token_seconds),
            inter_token_seconds=between(self.inter_token_seconds, other.inter_token_seconds),
            requests=min(self.requests, other.requests),
            failed=self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What ran while it was measured, as far as it decides how fast.

    Attributes:
        repository: Of the model.
        revision: Of its weights.
        precision: Of its weights.
        gpu: Name in the catalog.
        tensor_parallel: GPUs of a node of the replica.
        pipeline_parallel: Nodes of the replica.
        image: Of the engine, with version and digest.
        flags: Of the engine, beyond what every stack sets.
    """

    repository: str
    revision: str
    precision: str
    gpu: str
    tensor_parallel: int
    pipeline_parallel: int
    image: str
    flags: Mapping[str, str]

    def same_hardware(self, other: Served) -> bool:
        """Tells whether the same model ran on the same GPUs; engine and flags may differ."""
        mine, its = (
            (
                one.repository.lower(),
                one.precision,
                one.gpu,
                one.tensor_parallel,
                one.pipeline_parallel,
            )
            for one in (self, other)
        )
        return mine == its

    def changed(self, other: Served) -> tuple[str, ...]:
        """Returns what of engine and flags differs, as "image" and names of flags."""
        image = () if self.image == other.image else ("image",)
        names = sorted({*self.flags, *other.flags})
        return (
            *image,
            *(name for name in names if self.flags.get(name) != other.flags.get(name)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measurement of one replica.

    Attributes:
        served: What ran.
        input_tokens: Mean input of a request, cached ones included.
        output_tokens: Mean output of a request.
        cached_percent: Share of the input that the prefix cache had, 0 to 100; None where the
            result of a load generator does not say.
        points: By concurrency, lowest first; one or more.
        tool: What made the load, with its version if known.
        day: On which it was measured.
        name: Of the file; empty for one that is not written yet.
    """

    served: Served
    input_tokens: int
    output_tokens: int
    cached_percent: int | None
    points: tuple[Point, ...]
    tool: str
    day: date
    name: str = ""

    def point_for(self, concurrency: int) -> Point:
        """Returns the point of so many requests in flight, between two that were measured.

        Where fewer were measured at most, that of the most; where more at least, that of the least.
        """
        after = next((each for each in self.points if each.concurrency >= concurrency), None)
        if after is None:
            return self.points[-1]
        if after is self.points[0] or after.concurrency == concurrency:
            return after
        before = self.points[self.points.index(after) - 1]
        return before.towards(after, concurrency)

    def fits(self, *, input_tokens: int, output_tokens: int, cached_percent: int) -> bool:
        """Tells whether it was measured with requests of nearly these lengths."""
        return (
            self.distance(
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cached_percent=cached_percent,
            )
            <= 1
        )

    def distance(self, *, input_tokens: int, output_tokens: int, cached_percent: int) -> float:
        """Returns how far requests are from the measured ones: 0 for equal, 1 for just usable."""
        pairs = ((self.input_tokens, input_tokens), (self.output_tokens, output_tokens))
        apart = [math.log(max(pair) / min(pair)) / math.log(LENGTH_FACTOR) for pair in pairs]
        if self.cached_percent is not None:
            apart.append(abs(self.cached_percent - cached_percent) / CACHED_PERCENT)
        # A factor of just 1.25 is within, whatever the logarithms round to.
        return round(max(apart), 9)


def as_text(measurement: Measurement) -> str:
    """Returns a record as JSON."""
    fields = asdict(measurement)
    del fields["name"]
    fields["day"] = measurement.day.isoformat()
    return json.dumps({"version": VERSION, **fields}, indent=2) + "\n"


def from_text(text: str, name: str) -> Measurement:
    """Reads a record.

    Args:
        text: As `as_text` writes it.
        name: Of the file.

    Raises:
        RecordError: It is none, or of a newer version.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        version = fields.pop("version")
        points = tuple(Point(**point) for point in fields.pop("points"))
        measurement = Measurement(
            **{
                **fields,
                "served": Served(**fields["served"]),
                "points": tuple(sorted(points, key=lambda point: point.concurrency)),
                "day": date.fromisoformat(fields["day"]),
            },
            name=name,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{name}: not a measurement record ({error}). Remove it, or measure again"
        raise RecordError(msg) from error
    if version != VERSION:
        msg = f"{name}: has version {version}. Allowed: {VERSION}. Measure again"
        raise RecordError(msg)
    whole = (measurement.input_tokens, measurement.output_tokens)
    speeds = (point.output_tokens_per_second for point in points)
    if not points or min(whole) < 1 or min(speeds) <= 0:
        msg = f"{name}: has no point with output tokens. Remove it, or measure again"
        raise RecordError(msg)
    return measurement


def read_records(folder: Path) -> tuple[Measurement, ...]:
    """Returns all records of a folder, newest first; none where there is no folder.

    Raises:
        RecordError: One cannot be read, or is not signed by the key that the folder trusts.
    """
    return read_signed(folder, _KIND)


_KIND = Kind(from_text, RecordError, "measure")


def matching(
    records: tuple[Measurement, ...], served: Served
) -> Iterator[tuple[Measurement, tuple[str, ...]]]:
    """Yields records of the same model on the same GPUs, and what of the engine differs."""
    for record in records:
        if record.served.same_hardware(served):
            yield record, record.served.changed(served)
