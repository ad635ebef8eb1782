"""The user's own measurement of a replica: a setting that states it, or a record of `measure`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.demand.load import Load
from breakeven.cost.notes import MeasuredOtherwise
from breakeven.measurements.record import Measurement, RecordError, Served, matching, read_records
from breakeven.settings.fields import Conflict
from breakeven.settings.files import MEASUREMENTS
from breakeven.settings.stack import Settings

_NOT_SPEED = {
    *("image", "tensor_parallel", "pipeline_parallel", "args", "env", "api_key_secret"),
    *("longest_request_seconds", "measured_output_tokens_per_second", "measured_texts_per_second"),
    *("tool_calling", "reasoning"),
    # A stated network changes nothing, and no replica of a group is deployed and measured.
    "disaggregation",
}
"""Settings of the engine that are recorded elsewhere, or do not change how fast it is."""


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """What a full replica was measured to serve.

    Attributes:
        output_tokens_per_second: Of all requests; texts where they are only read.
        concurrency: Requests in flight; None where the setting states the figure.
        record: Name of the record's file; empty where the setting states the figure.
        distance: How far the requests are from the measured ones; see `Measurement.distance`.
    """

    output_tokens_per_second: float
    concurrency: int | None = None
    record: str = ""
    distance: float = 0.0


def served_by(settings: Settings) -> Served:
    """Returns what a replica of a stack runs, as far as it decides how fast."""
    engine, model = settings.engine, settings.model
    # What a later edition adds with a default does not make older records differ.
    stated = engine.model_dump(exclude=_NOT_SPEED, exclude_defaults=True)
    flags = {name: str(value) for name, value in sorted({**stated, **engine.args}.items())}
    return Served(
        repository=model.repository,
        revision=model.revision or "",
        precision=model.precision,
        gpu=settings.pool.gpu.name,
        tensor_parallel=engine.tensor_parallel,
        pipeline_parallel=engine.pipeline_parallel,
        image=engine.image,
        flags=flags,
    )


def own_figure(settings: Settings, load: Load, concurrency: int) -> OwnFigure | None:
    """Returns what the user measured of a stack's replica; None where nothing fits.

    The setting wins. Of several records that fit, the newest counts.

    Args:
        settings: Of the model.
        load: Its traffic.
        concurrency: Requests in flight at which a replica counts as full.
    """
    stated = _stated(settings)
    if stated is not None:
        return OwnFigure(float(stated))
    record = _fitting(settings, load)
    if record is None:
        return None
    point = record.point_for(concurrency)
    distance = record.distance(**_lengths(load))
    return OwnFigure(point.output_tokens_per_second, point.concurrency, record.name, distance)


def has_own_figure(settings: Settings) -> bool:
    """Tells whether the user measured the engine of a stack, whatever the lengths of requests."""
    return _stated(settings) is not None or any(not changed for _, changed in _known(settings))


def measurement_notes(settings: Settings, load: Load) -> Iterator[MeasuredOtherwise]:
    """Yields a record that would count if engine, flags or lengths were as measured.

    Only where no record fits: an engine or a flag that was changed since is a guess again.
    """
    if _stated(settings) is not None or _fitting(settings, load):
        return
    known = sorted(_known(settings), key=lambda each: len(each[1]))
    if known:
        record, changed = known[0]
        yield MeasuredOtherwise(
            record=record.name,
            changed=changed,
            input_tokens=record.input_tokens,
            output_tokens=record.output_tokens,
        )


def record_conflicts() -> Iterator[Conflict]:
    """Yields a record that cannot be read."""
    try:
        read_records(MEASUREMENTS)
    except RecordError as error:
        yield Conflict("engine.measuredOutputTokensPerSecond", "a broken record", str(error))


def _stated(settings: Settings) -> Decimal | None:
    engine = settings.engine
    if settings.model.facts.generates:
        return engine.measured_output_tokens_per_second
    return engine.measured_texts_per_second


def _lengths(load: Load) -> dict[str, int]:
    return {
        "input_tokens": load.input_tokens,
        "output_tokens": load.own_output_tokens,
        "cached_percent": round(load.cached_input_share * 100),
    }


def _fitting(settings: Settings, load: Load) -> Measurement | None:
    if not load.own_output_tokens:
        return None  # the load generators of `measure` send questions
    return next(
        (
            record
            for record, changed in _known(settings)
            if not changed and record.fits(**_lengths(load))
        ),
        None,
    )


def _known(settings: Settings) -> list[tuple[Measurement, tuple[str, ...]]]:
    try:
        records = read_records(MEASUREMENTS)
    except RecordError:
        return []  # the checks name it
    return list(matching(records, served_by(settings))) if records else []
