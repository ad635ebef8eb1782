"""Volume, lengths and burst from vLLM's counters in Prometheus."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

from breakeven.cost.reconciliation.kind import Deployment, Kind, has_metric
from breakeven.cost.reconciliation.observations import Observed, ObservedError
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.formats.prometheus import PrometheusReader
from breakeven.traffic.importer import describe_bad_rows
from breakeven.traffic.profile import measure
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import TimeReader

_MAX_BAD_PERCENT = 1.0  # as `breakeven traffic import` refuses by default


def from_vllm(text: str, name: str, now: datetime) -> Observed:
    """Reads volume, lengths and burst from a range query of vLLM's counters.

    Args:
        text: Answer of `/api/v1/query_range` with the metrics that `breakeven traffic import` asks
            for.
        name: Of the file, for messages.
        now: Time after which no point can be.

    Raises:
        ObservedError: It cannot be read, or metrics are missing.
    """
    tally = Tally()
    reader = PrometheusReader(TimeReader(UTC, now.timestamp()), tally)
    try:
        reader.read(io.StringIO(text), name)
        reader.finish()
        _refuse_many_bad_points(tally)
        profile = measure(tally, UTC)
    except TrafficError as error:
        message = str(error)
        raise ObservedError(message if name in message else f"{name}: {message}") from error
    burst = profile.burst_factor
    return Observed(
        tokens_per_day=profile.tokens_per_day,
        input_tokens=profile.input_tokens,
        output_tokens=profile.output_tokens,
        burst_factor=None if burst is None else Decimal(f"{burst:.2f}"),
    )


def _refuse_many_bad_points(tally: Tally) -> None:
    if tally.bad_rows * 100 > _MAX_BAD_PERCENT * tally.rows:
        points = f"{tally.bad_rows:,} of {tally.rows:,} points cannot be used; query them again"
        raise TrafficError("\n  ".join([points, *describe_bad_rows(tally)]))


def _read(text: str, name: str, deployment: Deployment) -> Observed:
    return from_vllm(text, name, deployment.now)


VLLM = Kind("vllm", lambda text: has_metric(text, "vllm:"), _read)
