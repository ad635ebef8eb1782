"""The user's own evaluation of a model: the newest record of `breakeven evaluate` that fits."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.answers.quality import AnswerQuality, Quality
from breakeven.cost.notes import EvaluatedOtherwise
from breakeven.evaluation.record import (
    OWN,
    Evaluation,
    EvaluationError,
    Own,
    Result,
    of_model,
    read_evaluations,
)
from breakeven.settings.fields import Conflict
from breakeven.settings.files import EVALUATIONS
from breakeven.settings.stack import Settings


def own_model(settings: Settings) -> Own:
    """Returns the model of a stack, as far as it decides what it answers."""
    return Own(
        repository=settings.model.repository,
        revision=settings.model.revision or "",
        precision=settings.model.precision,
        cache_precision=settings.engine.kv_cache_precision,
    )


def quality_of(settings: Settings) -> Quality | None:
    """Returns how well a model and APIs answered; None where no record is of this model."""
    record = next((record for record, changed in _known(settings) if not changed), None)
    if record is None:
        return None
    return Quality(
        record=record.name,
        day=record.day.isoformat(),
        prompts=record.prompts,
        complete=record.complete,
        judge=record.judge,
        endpoints=tuple(_quality(result) for result in record.results),
    )


def evaluation_notes(settings: Settings) -> Iterator[EvaluatedOtherwise]:
    """Yields a record that would count if the model were as it was evaluated."""
    known = sorted(_known(settings), key=lambda each: len(each[1]))
    if known and known[0][1]:
        record, changed = known[0]
        yield EvaluatedOtherwise(record.name, changed)


def evaluation_conflicts() -> Iterator[Conflict]:
    """Yields a record that cannot be read."""
    try:
        read_evaluations(EVALUATIONS)
    except EvaluationError as error:
        yield Conflict("model.name", "a broken record in stacks/evaluations", str(error))


def _quality(result: Result) -> AnswerQuality:
    low, high = result.interval
    answered_as = result.answered_as.rpartition("/")[2].lower()
    asked_for = result.model.rpartition("/")[2].lower()
    return AnswerQuality(
        endpoint="" if result.name == OWN else result.name,
        answered=result.answered,
        passed=result.passed,
        low=low,
        high=high,
        output_tokens=result.output_tokens,
        p95_seconds=result.p95_seconds,
        own_failed=result.own_failed,
        solved_own_failed=result.solved_own_failed,
        input_price=None if result.price is None else result.price.input,
        output_price=None if result.price is None else result.price.output,
        other_model="" if answered_as.startswith(asked_for) else result.answered_as,
    )


def _known(settings: Settings) -> list[tuple[Evaluation, tuple[str, ...]]]:
    try:
        records = read_evaluations(EVALUATIONS)
    except EvaluationError:
        return []  # the checks name it
    return list(of_model(records, own_model(settings))) if records else []
