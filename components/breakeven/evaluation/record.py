"""The record of an evaluation: how well endpoints answered, without a prompt or an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from breakeven.documents import first_mistake
from breakeven.evaluation.answers import Answer
from breakeven.measurements.signature import Kind, read_signed
from breakeven.proportions import wilson_interval

VERSION = 1

OWN = "own"
"""Name of the endpoint that is a replica of the stack."""

_CONFIG = ConfigDict(extra="forbid")
_Count = Annotated[int, Field(ge=0)]
_AtLeastOne = Annotated[int, Field(ge=1)]
_Amount = Annotated[Decimal, Field(ge=0)]
_Seconds = Annotated[float, Field(ge=0)]


class EvaluationError(ValueError):
    """An invalid record; the message names the file, what was found, and what to do."""


@checked_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class TokenPrice:
    """What an endpoint charged.

    Attributes:
        input: USD per 1M input tokens.
        output: USD per 1M output tokens.
        source: Where the price comes from.
        as_of: Its day.
    """

    input: _Amount
    output: _Amount
    source: str
    as_of: date


@checked_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Result:
    """How one endpoint answered.

    Attributes:
        name: "own", or the reference of an API.
        model: Model that was requested.
        answered_as: Model that the endpoint says answered.
        answered: Prompts that it answered, 1 or more.
        passed: Prompts whose answer passes all checks.
        interval: 95% interval of the pass rate, by Wilson.
        empty: Answers without text and without a tool call; they do not pass.
        failed_by_check: How many answers failed each kind of check.
        input_tokens: Mean input of an answer.
        output_tokens: Mean output of an answer, including reasoning.
        seconds: Mean time to the whole answer.
        p95_seconds: The same, 95th percentile.
        price: What it charges; None for own replicas.
        usd: What its answers cost.
        own_failed: Prompts that both it and the stack's replica answered, and the replica failed.
        solved_own_failed: Those of `own_failed` that it passed.
    """

    name: Annotated[str, Field(min_length=1)]
    model: str
    answered_as: str
    answered: _AtLeastOne
    passed: _Count
    interval: tuple[float, float]
    empty: _Count
    failed_by_check: Mapping[str, int]
    input_tokens: Annotated[float, Field(ge=0)]
    output_tokens: Annotated[float, Field(ge=0)]
    seconds: _Seconds
    p95_seconds: _Seconds
    price: TokenPrice | None
    usd: _Amount
    own_failed: _Count = 0
    solved_own_failed: _Count = 0


@checked_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Own:
    """The stack's model: everything that determines its answers.

    Attributes:
        repository: Of the model.
        revision: Of its weights.
        precision: Of its weights.
        cache_precision: Of its key-value cache.
    """

    repository: str
    revision: str
    precision: str
    cache_precision: str

    def changed(self, other: Own) -> tuple[str, ...]:
        """Returns which of its fields differ."""
        mine, theirs = asdict(self), asdict(other)
        return tuple(name for name in mine if mine[name] != theirs[name])


@checked_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Evaluation:
    """An evaluation.

    Attributes:
        own: What the stack's replica serves.
        prompts: Prompts of the file, 1 or more.
        prompts_sha256: Of the file with the prompts.
        results: By endpoint, in the order in which they were named; one or more.
        judge: Model that judged; empty for none.
        tool: Program that sent the requests, with its version.
        day: Day on which it ended.
        complete: Whether every endpoint answered every prompt.
        version: Of this form.
        name: Of the file; empty if it is not written yet.
    """

    own: Own
    prompts: _AtLeastOne
    prompts_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    results: Annotated[tuple[Result, ...], Field(min_length=1)]
    judge: str
    tool: str
    day: date
    complete: bool
    version: int = VERSION
    name: str = ""


_ADAPTER = TypeAdapter(Evaluation)


@dataclass(frozen=True, slots=True)
class Asked:
    """An endpoint that was asked; see `Result`."""

    name: str
    model: str
    price: TokenPrice | None


def results_of(endpoints: Sequence[Asked], answers: Sequence[Answer]) -> tuple[Result, ...]:
    """Sums up the answers of each endpoint; one without an answer is left out."""
    own_failed = {each.prompt for each in answers if each.endpoint == OWN and each.failed}
    found = []
    for endpoint in endpoints:
        own = [each for each in answers if each.endpoint == endpoint.name]
        if own:
            found.append(_result(endpoint, own, own_failed))
    return tuple(found)


def _result(endpoint: Asked, answers: Sequence[Answer], own_failed: set[str]) -> Result:
    tried, passed = len(answers), sum(not each.failed for each in answers)
    seconds = sorted(each.seconds for each in answers)
    kinds = sorted({kind for each in answers for kind in each.failed})
    again = [] if endpoint.name == OWN else [a for a in answers if a.prompt in own_failed]
    return Result(
        name=endpoint.name,
        model=endpoint.model,
        answered_as=answers[-1].model,
        answered=tried,
        passed=passed,
        interval=_rounded(wilson_interval(passed, tried)),
        empty=sum(each.empty for each in answers),
        failed_by_check={kind: sum(kind in each.failed for each in answers) for kind in kinds},
        input_tokens=round(sum(each.input_tokens for each in answers) / tried, 2),
        output_tokens=round(sum(each.output_tokens for each in answers) / tried, 2),
        seconds=round(sum(seconds) / tried, 3),
        p95_seconds=round(seconds[min(tried - 1, int(0.95 * tried))], 3),
        price=endpoint.price,
        usd=Decimal(str(round(sum(each.usd for each in answers), 6))),
        own_failed=len(again),
        solved_own_failed=sum(not each.failed for each in again),
    )


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)


def as_text(evaluation: Evaluation) -> str:
    """Returns a record as JSON."""
    fields = _ADAPTER.dump_python(evaluation, mode="json")
    del fields["name"]
    return json.dumps({"version": fields.pop("version"), **fields}, indent=2) + "\n"


def from_text(text: str, name: str) -> Evaluation:
    """Reads a record.

    Args:
        text: As `as_text` writes it.
        name: Of the file.

    Raises:
        EvaluationError: It is not a record, or has another version.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        version = fields.get("version")
        if version != VERSION:
            msg = f"{name}: has version {version}. Allowed: {VERSION}. Evaluate again"
            raise EvaluationError(msg)
        found = _ADAPTER.validate_python({**fields, "name": name})
    except ValidationError as error:
        msg = f"{name}: {first_mistake(error)}. Remove the record, or evaluate again"
        raise EvaluationError(msg) from error
    except (ValueError, AttributeError) as error:
        if isinstance(error, EvaluationError):
            raise
        msg = f"{name}: not an evaluation record. Remove it, or evaluate again"
        raise EvaluationError(msg) from error
    for result in found.results:
        if result.passed > result.answered or result.solved_own_failed > result.own_failed:
            msg = f"{name}: {result.name} passed more prompts than it answered. Evaluate again"
            raise EvaluationError(msg)
    return found


def read_evaluations(folder: Path) -> tuple[Evaluation, ...]:
    """Returns all records of a folder, newest first; none where there is no folder.

    Raises:
        EvaluationError: One cannot be read, or is not signed by the key that the folder trusts.
    """
    return read_signed(folder, _KIND)


_KIND = Kind(from_text, EvaluationError, "evaluate")


def of_model(
    records: Sequence[Evaluation], own: Own
) -> Iterator[tuple[Evaluation, tuple[str, ...]]]:
    """Yields records of the same model, each with the fields that differ."""
    for record in records:
        changed = record.own.changed(own)
        if "repository" not in changed:
            yield record, changed
