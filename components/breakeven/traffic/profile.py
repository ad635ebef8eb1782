"""From counts and sums to what a stack file states: volume, lengths, hours, burst."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.tally import DAY, HOUR, MINUTE, QUARTER, Tally

COARSE_SHARE = 0.05
"""Share of the traffic that may be recorded more coarsely than what is measured from it."""

FEWEST_IN_BUSIEST_HOUR = 100
"""Requests without which the busiest minute is chance."""

HIGHEST_BURST = 20.0
HIGHEST_CACHED_PERCENT = 95
LONGEST_REQUEST = 1_000_000
MOST_TOKENS_PER_DAY = 10**15
"""What the settings allow."""

_SHORTEST_SECONDS = 60
_COVERED_SECONDS = 1_800
HOURS_OF_DAY = 24
HOURS_OF_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Measured traffic.

    Attributes:
        start: First record.
        end: End of the last record.
        days: Between them; a fraction.
        requests: How many, rounded.
        tokens_per_day: Input and output tokens of a mean day, 1 to 10^15.
        input_tokens: Mean of a request, cached ones included, 1 or more.
        output_tokens: Mean of a request, 1 or more.
        cached_input_percent: Of the input, 0 to 95; None where the log does not tell.
        burst_factor: Tokens of the busiest minute over the mean minute of the hour around it, 1
            to 20; None where it can't be measured.
        rates: Requests an hour of each hour of a week (168, Monday first) or of a day (24) in
            the user's time zone; None where they can't be measured.
        notes: What a reader should know about these figures.
    """

    start: datetime
    end: datetime
    days: float
    requests: int
    tokens_per_day: int
    input_tokens: int
    output_tokens: int
    cached_input_percent: int | None
    burst_factor: float | None
    rates: tuple[float, ...] | None
    notes: tuple[str, ...]

    def settings(self, shape_name: str) -> dict[str, int | str]:
        """Returns the settings of a stack that were measured, with their values.

        Args:
            shape_name: Name of the file in stacks/traffic/ that holds `rates`.
        """
        stated: dict[str, int | str] = {
            "traffic.tokensPerDay": self.tokens_per_day,
            "traffic.inputTokens": self.input_tokens,
            "traffic.outputTokens": self.output_tokens,
        }
        if self.cached_input_percent is not None:
            stated["traffic.cachedInputPercent"] = self.cached_input_percent
        if self.burst_factor is not None:
            stated["traffic.burstFactor"] = f"{self.burst_factor:.2f}"
        if self.rates is not None:
            stated["traffic.shape"] = shape_name
        return stated


def measure(tally: Tally, zone: tzinfo) -> Profile:
    """Measures the traffic of a log, in the hours of a time zone.

    Raises:
        TrafficError: There are no requests, or they span less than a minute.
    """
    if tally.requests <= 0 or tally.tokens <= 0:
        msg = "found no request with tokens. Check that the files are the right ones"
        raise TrafficError(msg)
    if tally.seconds < _SHORTEST_SECONDS:
        msg = (
            f"the requests span {tally.seconds:.0f} seconds; a volume a day can't be told from "
            "less than a minute. Give a longer log, a week at best"
        )
        raise TrafficError(msg)
    notes: list[str] = []
    days = tally.seconds / DAY
    if days < 1:
        notes.append(
            f"traffic.tokensPerDay is extrapolated from {tally.seconds / MINUTE:.0f} minutes: it "
            "holds if the other hours are like these"
        )
    return Profile(
        start=datetime.fromtimestamp(tally.start, zone),
        end=datetime.fromtimestamp(tally.end, zone),
        days=days,
        requests=round(tally.requests),
        tokens_per_day=min(MOST_TOKENS_PER_DAY, max(1, round(tally.tokens / days))),
        input_tokens=_mean(tally.input_tokens, tally.requests),
        output_tokens=_mean(tally.output_tokens, tally.requests),
        cached_input_percent=_cached_percent(tally, notes),
        burst_factor=_burst_factor(tally, notes),
        rates=_rates(tally, zone, notes),
        notes=tuple(notes),
    )


def _mean(tokens: float, requests: float) -> int:
    return min(LONGEST_REQUEST, max(1, round(tokens / requests)))


def _cached_percent(tally: Tally, notes: list[str]) -> int | None:
    if not tally.input_with_cached:
        notes.append("traffic.cachedInputPercent is not in the log")
        return None
    percent = round(100 * tally.cached_tokens / tally.input_with_cached)
    if percent > HIGHEST_CACHED_PERCENT:
        notes.append(f"measured {percent}% cached input; the setting allows up to 95")
    return min(percent, HIGHEST_CACHED_PERCENT)


def _burst_factor(tally: Tally, notes: list[str]) -> float | None:
    """The busiest minute over the mean of the 60 minutes around it, within the log.

    Tokens, not requests, because they are what a GPU works on: in the Azure trace of conversations
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
    if sum(minutes) * tally.requests / tally.tokens < FEWEST_IN_BUSIEST_HOUR:
        notes.append(
            f"traffic.burstFactor: unknown, fewer than {FEWEST_IN_BUSIEST_HOUR} requests in the "
            "hour of the busiest minute"
        )
        return None
    factor = max(minutes) / mean
    if factor > HIGHEST_BURST:
        notes.append(f"measured a burst of {factor:.1f}; the setting allows up to 20")
    return min(factor, HIGHEST_BURST)


def _rates(tally: Tally, zone: tzinfo, notes: list[str]) -> tuple[float, ...] | None:
    """Requests an hour of the hours of a week, of those of a day, or None."""
    requests, covered, silent = _by_hour_of_week(tally, zone)
    if tally.coarse_requests > COARSE_SHARE * tally.requests:
        notes.append("traffic.shape: unknown, records are longer than an hour; stays published")
        return None
    if silent:
        notes.append(f"{silent} hours between first and last record have no request, counted as 0")
    if min(covered) >= _COVERED_SECONDS:
        return tuple(_divide(requests, covered))
    of_day = [sum(requests[hour::HOURS_OF_DAY]) for hour in range(HOURS_OF_DAY)]
    covered_of_day = [sum(covered[hour::HOURS_OF_DAY]) for hour in range(HOURS_OF_DAY)]
    if min(covered_of_day) < _COVERED_SECONDS:
        notes.append("traffic.shape: unknown, the log spans less than a day; stays published")
        return None
    notes.append("less than a week: the shape is one mean day, without weekends of its own")
    return tuple(_divide(of_day, covered_of_day))


def _divide(requests: list[float], covered: list[float]) -> list[float]:
    return [HOUR * count / seconds for count, seconds in zip(requests, covered, strict=True)]


def _by_hour_of_week(tally: Tally, zone: tzinfo) -> tuple[list[float], list[float], int]:
    """Requests and seconds covered of each hour of the week; and how many hours are silent."""
    requests = [0.0] * HOURS_OF_WEEK
    covered = [0.0] * HOURS_OF_WEEK
    silent = set(range(int(tally.start // HOUR), int(tally.end // HOUR) + 1))
    for quarter in range(int(tally.start // QUARTER), int(tally.end // QUARTER) + 1):
        begin = quarter * QUARTER
        local = datetime.fromtimestamp(begin, zone)
        hour = local.weekday() * HOURS_OF_DAY + local.hour
        count = tally.requests_of_quarter(quarter)
        requests[hour] += count
        covered[hour] += max(0.0, min(tally.end, begin + QUARTER) - max(tally.start, begin))
        if count:
            silent.discard(begin // HOUR)
    silent.discard(int(tally.end // HOUR))  # it only begins within the log
    return requests, covered, len(silent)
