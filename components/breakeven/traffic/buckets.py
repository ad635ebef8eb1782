"""Usage reports: sums of an hour or a day instead of single requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from breakeven.traffic.calls import model_name, other_call
from breakeven.traffic.errors import BadRowError
from breakeven.traffic.kind import Import
from breakeven.traffic.requests import OTHER_MODEL
from breakeven.traffic.tally import ModelUse, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One interval of a usage report.

    Attributes:
        start: Epoch seconds.
        end: Epoch seconds; may be after the export, if the bucket was still running.
        requests: Requests that began in it; None if the report does not count them.
        input_tokens: Of these requests, including cached ones.
        output_tokens: Of these requests.
        cached: Cached input tokens, if the report states them.
        model: The model, as the report names it.
        call: Type of the calls.
        spend: USD, if the report states it.
    """

    start: float
    end: float
    requests: int | None
    input_tokens: int
    output_tokens: int
    cached: int | None = None
    model: object = None
    call: object = None
    spend: Decimal | None = None


def count_bucket(bucket: Bucket, shared: Import) -> None:
    """Counts a bucket; an empty one also covers its time.

    Raises:
        BadRowError: Its length or its counts contradict each other.
    """
    if bucket.requests == 0 and bucket.input_tokens + bucket.output_tokens:
        msg = "tokens without requests"
        raise BadRowError(msg)
    tally, model = shared.tally, model_name(bucket.model)
    reason = other_call(bucket.call, model)
    if not reason and bucket.input_tokens + bucket.output_tokens and not shared.counts(model):
        reason = OTHER_MODEL
    if reason:
        tally.leave_out(reason)
        _cover(bucket, shared, tally)
        return
    seconds = _seconds(bucket, shared)
    if seconds is None:
        tally.rows += 1
        return
    try:
        tally.interval(
            bucket.start,
            seconds,
            requests=bucket.requests,
            input_tokens=bucket.input_tokens,
            output_tokens=bucket.output_tokens,
            cached=bucket.cached,
        )
    except ValueError as error:
        raise BadRowError(str(error)) from error
    if bucket.input_tokens + bucket.output_tokens:
        use = ModelUse(
            bucket.requests or 0,
            bucket.input_tokens,
            bucket.output_tokens,
            bucket.cached or 0,
            bucket.spend,
        )
        tally.use(model, use)
    tally.rows += 1


def _cover(bucket: Bucket, shared: Import, tally: Tally) -> None:
    """Counts the time of a bucket whose calls are skipped."""
    seconds = _seconds(bucket, shared)
    if seconds is not None and seconds > 0:
        tally.interval(bucket.start, seconds)


def _seconds(bucket: Bucket, shared: Import) -> float | None:
    """Returns the seconds of a bucket that have passed; None for an empty one of the future."""
    if bucket.start >= shared.now and not bucket.input_tokens + bucket.output_tokens:
        return None
    return shared.ended(bucket.start, bucket.end) - bucket.start


def members(entry: object, name: str) -> list[Mapping[str, object]] | None:
    """Returns the objects in a bucket's list; one empty object if the list is empty.

    None if it is not a list of objects.
    """
    found = entry.get(name) if isinstance(entry, Mapping) else None
    if found is None or found == []:
        return [{}]
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        return None
    return found
