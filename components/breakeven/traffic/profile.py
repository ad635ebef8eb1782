"""Converts counts and sums to settings: volume, lengths, hours of the week, burst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.lengths import Lengths
from breakeven.traffic.relative_time import Clock
from breakeven.traffic.tally import DAY, HOUR, MINUTE, QUARTER, Tally

COARSE_SHARE = 0.05
"""Maximum share of traffic in records too coarse for a measurement."""

FEWEST_IN_BUSIEST_HOUR = 100
"""With fewer requests, the busiest minute is random."""

HIGHEST_BURST = 20.0
HIGHEST_CACHED_PERCENT = 95
LONGEST_REQUEST = 1_000_000
MOST_TOKENS_PER_DAY = 10**15
"""Limits of the settings."""

FEWEST_FOR_PERCENTILES = 100
"""With fewer single requests, the 99th percentile would be the longest request."""

SHOWN_MODELS = 5

Setting = int | str | Mapping[str, int]

_SHORTEST_SECONDS = 60
_COVERED_SECONDS = 1_800
HOURS_OF_DAY = 24
HOURS_OF_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Measured traffic.

    Attributes:
        start: First record; None where the log's times count from an unknown start.
        end: End of the last record; None likewise.
        days: Between them; a fraction.
        requests: Number, rounded; None if the log does not count them.
        tokens_per_day: Input and output tokens of a mean day, 1 to 10^15.
        input_tokens: Mean of a request, cached ones included, 1 or more; None where the log does
            not count requests.
        output_tokens: Mean of a request, 1 or more; None likewise.
        input_percentiles: Input tokens of single requests by percentile; empty where the log has
            too few single requests.
        output_percentiles: Output tokens likewise.
        request_p99: Input and output tokens that 99% of the single requests do not exceed; None
            where the log has none.
        longest_request: Input and output tokens of the longest single request; None likewise.
        cached_input_percent: Of the input, 0 to 95; None if the log does not state it.
        burst_factor: Tokens of the busiest minute over the mean minute of the hour around it, 1
            to 20; None where it cannot be measured.
        rates: Requests an hour of each hour of a week (168, Monday first) or of a day (24) in
            the user's time zone; None where they cannot be measured.
        rates_of: What the rates count: requests, or tokens where requests are not counted.
        notes: Notes about these figures.
    """

    start: datetime | None
    end: datetime | None
    days: float
    requests: int | None
    tokens_per_day: int
    input_tokens: int | None
    output_tokens: int | None
    input_percentiles: Mapping[str, int]
    output_percentiles: Mapping[str, int]
    request_p99: int | None
    longest_request: int | None
    cached_input_percent: int | None
    burst_factor: float | None
    rates: tuple[float, ...] | None
    rates_of: str
    notes: tuple[str, ...]

    def settings(self, shape_name: str) -> dict[str, Setting]:
        """Returns the settings of a stack that were measured, with their values.

        Args:
            shape_name: Name of the file in stacks/traffic/ that holds `rates`.
        """
        stated: dict[str, Setting] = {"traffic.tokensPerDay": self.tokens_per_day}
        if self.input_tokens is not None and self.output_tokens is not None:
            stated["traffic.inputTokens"] = self.input_tokens
            stated["traffic.outputTokens"] = self.output_tokens
        if self.input_percentiles:
            stated["traffic.inputPercentiles"] = dict(self.input_percentiles)
            stated["traffic.outputPercentiles"] = dict(self.output_percentiles)
        if self.cached_input_percent is not None:
            stated["traffic.cachedInputPercent"] = self.cached_input_percent
        if self.burst_factor is not None:
            stated["traffic.burstFactor"] = f"{self.burst_factor:.2f}"
        if self.rates is not None:
            stated["traffic.shape"] = shape_name
        return stated


def measure(tally: Tally, zone: tzinfo, clock: Clock = Clock.KNOWN) -> Profile:
    """Measures the traffic of a log, in the hours of a time zone.

    Args:
        tally: Counts and sums.
        zone: Of the hours of the week.
        clock: What is known of the moment at which the log's time is 0.

    Raises:
        TrafficError: There are no requests, or they span less than a minute.
    """
    if tally.tokens <= 0 or tally.requests <= 0 >= tally.uncounted_tokens:
        left_out = "; ".join(f"{reason}: {count:,}" for reason, count in tally.left_out.items())
        msg = "found no request with tokens. " + (
            f"Left out: {left_out}" if left_out else "Check that the files are the right ones"
        )
        raise TrafficError(msg)
    if tally.seconds < _SHORTEST_SECONDS:
        msg = (
            f"the requests span {tally.seconds:.0f} seconds, too short to estimate a daily "
            "volume. Use a log of at least a minute, ideally a week"
        )
        raise TrafficError(msg)
    notes = [*_models(tally)]
    days = tally.seconds / DAY
    if days < 1:
        notes.append(
            f"traffic.tokensPerDay is extrapolated from {tally.seconds / MINUTE:.0f} minutes, "
            "and assumes that the other hours are similar"
        )
    counted = tally.requests > 0
    if not counted:
        notes.append(
            "traffic.inputTokens and traffic.outputTokens: unknown, because the log does not "
            "count requests; the stack keeps its values"
        )
    is_known = clock is Clock.KNOWN
    has_percentiles = tally.request_lengths.count >= FEWEST_FOR_PERCENTILES
    return Profile(
        start=datetime.fromtimestamp(tally.start, zone) if is_known else None,
        end=datetime.fromtimestamp(tally.end, zone) if is_known else None,
        days=days,
        requests=round(tally.requests) if counted else None,
        tokens_per_day=min(MOST_TOKENS_PER_DAY, max(1, round(tally.tokens / days))),
        input_tokens=_mean(tally.input_tokens - tally.uncounted_input, tally.requests),
        output_tokens=_mean(tally.output_tokens - tally.uncounted_output, tally.requests),
        input_percentiles=tally.input_lengths.percentiles() if has_percentiles else {},
        output_percentiles=tally.output_lengths.percentiles() if has_percentiles else {},
        request_p99=_percentile(tally.request_lengths, 0.99),
        longest_request=_percentile(tally.request_lengths, 1),
        cached_input_percent=_cached_percent(tally, notes),
        burst_factor=_burst_factor(tally, notes),
        rates=_rates(tally, zone, clock, notes),
        rates_of="tokens" if _by_tokens(tally) else "requests",
        notes=tuple(notes),
    )


def _models(tally: Tally) -> list[str]:
    """Says that several models are in the log, and how to select one."""
    names = [name for name in tally.models if name]
    if len(names) < 2:  # noqa: PLR2004 -- several
        return []
    by_tokens = sorted(names, key=lambda name: -tally.models[name].tokens)
    shares = [
        f"{name} {100 * tally.models[name].tokens / tally.tokens:.0f}%"
        for name in by_tokens[:SHOWN_MODELS]
    ]
    more = f" and {len(names) - SHOWN_MODELS} more" if len(names) > SHOWN_MODELS else ""
    note = (
        f"the log has {len(names)} models, counted together: {', '.join(shares)} of the "
        f"tokens{more}. To count only one, add --model NAME"
    )
    return [note]


def _mean(tokens: float, requests: float) -> int | None:
    return min(LONGEST_REQUEST, max(1, round(tokens / requests))) if requests > 0 else None


def _percentile(lengths: Lengths, share: float) -> int | None:
    return lengths.percentile(share) if lengths.count else None


def _by_tokens(tally: Tally) -> bool:
    """Whether hours are measured in tokens, because part of the log does not count requests."""
    return tally.uncounted_tokens > COARSE_SHARE * tally.tokens


def _cached_percent(tally: Tally, notes: list[str]) -> int | None:
    if not tally.input_with_cached:
        notes.append("traffic.cachedInputPercent is not in the log")
        return None
    percent = round(100 * tally.cached_tokens / tally.input_with_cached)
    if percent > HIGHEST_CACHED_PERCENT:
        notes.append(f"measured {percent}% cached input; the setting allows up to 95")
    return min(percent, HIGHEST_CACHED_PERCENT)


def _burst_factor(tally: Tally, notes: list[str]) -> float | None:
    """Returns the busiest minute divided by the mean of the 60 minutes around it.

    Tokens, not requests, because they determine a GPU's work: in the Azure trace of conversations
    the busiest minute has 1.76 times the mean in tokens and 1.52 times in requests.
    """
    if tally.coarse_tokens > COARSE_SHARE * tally.tokens:
        notes.append("traffic.burstFactor: unknown, records are longer than a minute")
        return None
    first = -int(-(tally.start - tally.phase) // MINUTE)
    last = int((tally.end - tally.phase) // MINUTE) - 1
    peak = tally.busiest_minute(first, last)
    begin = max(first, min(peak - 30, last - 59))
    minutes = tally.tokens_of_minutes(begin, min(begin + 59, last))
    mean = sum(minutes) / len(minutes) if minutes else 0.0
    in_hour = sum(minutes) * tally.requests / tally.tokens
    if not _by_tokens(tally) and in_hour < FEWEST_IN_BUSIEST_HOUR:
        notes.append(
            f"traffic.burstFactor: unknown, fewer than {FEWEST_IN_BUSIEST_HOUR} requests in the "
            "hour of the busiest minute"
        )
        return None
    factor = max(minutes) / mean
    if factor > HIGHEST_BURST:
        notes.append(f"measured a burst of {factor:.1f}; the setting allows up to 20")
    return min(factor, HIGHEST_BURST)


def _rates(tally: Tally, zone: tzinfo, clock: Clock, notes: list[str]) -> tuple[float, ...] | None:
    """Returns requests per hour of each hour of a week or of a day, or None."""
    if clock is Clock.UNKNOWN:
        notes.append(
            "traffic.shape: unknown, the log has relative times; stays published. State when it "
            "started: --start 2026-11-02T09:00"
        )
        return None
    requests, covered, silent = _by_hour_of_week(tally, zone)
    if _is_coarse(tally):
        notes.append("traffic.shape: unknown, records are longer than an hour; stays published")
        return None
    if silent:
        notes.append(f"{silent} hours between first and last record have no request, counted as 0")
    if clock is Clock.KNOWN and min(covered) >= _COVERED_SECONDS:
        return tuple(_divide(requests, covered))
    of_day = [sum(requests[hour::HOURS_OF_DAY]) for hour in range(HOURS_OF_DAY)]
    covered_of_day = [sum(covered[hour::HOURS_OF_DAY]) for hour in range(HOURS_OF_DAY)]
    if min(covered_of_day) < _COVERED_SECONDS:
        notes.append("traffic.shape: unknown, the log spans less than a day; stays published")
        return None
    if clock is Clock.MIDNIGHT:
        notes.append(
            "the log does not state its first day, so the shape is one mean day. To get a week, "
            "add --start 2026-11-02"
        )
    else:
        notes.append("less than a week: the shape is one mean day, without weekends of its own")
    return tuple(_divide(of_day, covered_of_day))


def _is_coarse(tally: Tally) -> bool:
    if _by_tokens(tally):
        return tally.hourless_tokens > COARSE_SHARE * tally.tokens
    return tally.coarse_requests > COARSE_SHARE * tally.requests


def _divide(requests: list[float], covered: list[float]) -> list[float]:
    return [HOUR * count / seconds for count, seconds in zip(requests, covered, strict=True)]


def _by_hour_of_week(tally: Tally, zone: tzinfo) -> tuple[list[float], list[float], int]:
    """Returns requests and covered seconds of each hour of the week, and how many are silent."""
    requests = [0.0] * HOURS_OF_WEEK
    covered = [0.0] * HOURS_OF_WEEK
    of_quarter = tally.tokens_of_quarter if _by_tokens(tally) else tally.requests_of_quarter
    silent = set(range(int(tally.start // HOUR), int(tally.end // HOUR) + 1))
    for quarter in range(int(tally.start // QUARTER), int(tally.end // QUARTER) + 1):
        begin = quarter * QUARTER
        local = datetime.fromtimestamp(begin, zone)
        hour = local.weekday() * HOURS_OF_DAY + local.hour
        count = of_quarter(quarter)
        requests[hour] += count
        covered[hour] += max(0.0, min(tally.end, begin + QUARTER) - max(tally.start, begin))
        if count:
            silent.discard(begin // HOUR)
    silent.discard(int(tally.end // HOUR))  # it only begins in the log
    return requests, covered, len(silent)
