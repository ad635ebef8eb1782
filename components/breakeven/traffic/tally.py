"""Counts and sums of a log, the only data that is kept; their size depends only on the span."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from breakeven.traffic.lengths import Lengths

MINUTE = 60
QUARTER = 900
HOUR = 3_600
DAY = 86_400
SHOWN = 3
"""Number of places that are kept for each reason why rows are bad."""

_LONGEST_INTERVAL = 31 * DAY


@dataclass(slots=True)
class BadRows:
    """Rows that cannot be used, for one reason.

    Attributes:
        count: How many.
        places: File and line of the first three.
    """

    count: int = 0
    places: list[str] = field(default_factory=list)


MOST_MODELS = 100
"""Maximum number of models counted separately; further ones count as `OTHER_MODELS`."""

OTHER_MODELS = "other models"


@dataclass(slots=True)
class ModelUse:
    """Use of one model.

    Attributes:
        requests: Number; 0 if the log does not count them.
        input_tokens: Of all requests, cached ones included.
        output_tokens: Of all requests.
        cached_tokens: Input found in a prefix cache.
        spend: USD that the log states; None if it does not.
    """

    requests: float = 0
    input_tokens: float = 0
    output_tokens: float = 0
    cached_tokens: float = 0
    spend: Decimal | None = None

    @property
    def tokens(self) -> float:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens

    def add(self, more: ModelUse) -> None:
        """Adds further use."""
        self.requests += more.requests
        self.input_tokens += more.input_tokens
        self.output_tokens += more.output_tokens
        self.cached_tokens += more.cached_tokens
        if more.spend is not None:
            self.spend = (self.spend or Decimal(0)) + more.spend


@dataclass(slots=True)
class Tally:
    """Counts and sums.

    Requests are counted by quarter of an hour, because some time zones are off by half of one;
    tokens are counted by minute from the first record.

    Attributes:
        start: Epoch seconds of the first record.
        end: Epoch seconds at which the last one ends.
        requests: Number; a fraction if a counter was read between two scrapes.
        input_tokens: Of all requests, cached ones included.
        output_tokens: Of all requests.
        cached_tokens: Input found in a prefix cache, if the log states it.
        input_with_cached: Input tokens of records that state how much was cached.
        uncounted_input: Input tokens of records without a number of requests.
        uncounted_output: Output tokens of records without a number of requests.
        coarse_requests: Requests of records longer than an hour.
        coarse_tokens: Tokens of records longer than a minute.
        hourless_tokens: Tokens of records longer than an hour.
        input_lengths: Input tokens of single requests, where the log has them.
        output_lengths: Output tokens of single requests.
        request_lengths: Input and output tokens of single requests.
        models: What each model did, by the log's name of it; "" where it names none.
        rows: Rows read, bad ones and those left out included.
        left_out: Rows that are in order and no traffic, by reason.
        bad: Rows that cannot be used, by reason.
    """

    start: float = float("inf")
    end: float = float("-inf")
    requests: float = 0
    input_tokens: float = 0
    output_tokens: float = 0
    cached_tokens: float = 0
    input_with_cached: float = 0
    uncounted_input: float = 0
    uncounted_output: float = 0
    coarse_requests: float = 0
    coarse_tokens: float = 0
    hourless_tokens: float = 0
    input_lengths: Lengths = field(default_factory=Lengths)
    output_lengths: Lengths = field(default_factory=Lengths)
    request_lengths: Lengths = field(default_factory=Lengths)
    models: dict[str, ModelUse] = field(default_factory=dict)
    rows: int = 0
    left_out: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    bad: defaultdict[str, BadRows] = field(default_factory=lambda: defaultdict(BadRows))
    _quarters: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    _quarter_tokens: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    _minutes: dict[int, array[float]] = field(default_factory=dict)
    _phase: float | None = None

    @property
    def tokens(self) -> float:
        """Input and output tokens of all requests."""
        return self.input_tokens + self.output_tokens

    @property
    def uncounted_tokens(self) -> float:
        """Tokens of records that do not tell the number of requests."""
        return self.uncounted_input + self.uncounted_output

    @property
    def seconds(self) -> float:
        """From the first record to the end of the last, in seconds."""
        return max(0.0, self.end - self.start)

    @property
    def phase(self) -> float:
        """Seconds, 0 to 60, by which counted minutes begin after those of the clock."""
        return self._phase or 0.0

    @property
    def bad_rows(self) -> int:
        """Rows that cannot be used."""
        return sum(rows.count for rows in self.bad.values())

    def request(  # noqa: PLR0913 -- what a row tells of a request
        self,
        moment: float,
        input_tokens: int,
        output_tokens: int,
        cached: int | None,
        *,
        model: str = "",
        spend: Decimal | None = None,
    ) -> None:
        """Counts one request at its moment (epoch seconds)."""
        tokens = input_tokens + output_tokens
        self._cover(moment, moment)
        self._sum(1, input_tokens, output_tokens, cached)
        self.input_lengths.add(input_tokens)
        self.output_lengths.add(output_tokens)
        self.request_lengths.add(tokens)
        self.use(model, ModelUse(1, input_tokens, output_tokens, cached or 0, spend))
        quarter = int(moment // QUARTER)
        self._quarters[quarter] += 1
        self._quarter_tokens[quarter] += tokens
        self._add_tokens(int((moment - self.phase) // MINUTE), tokens)

    def use(self, model: str, more: ModelUse) -> None:
        """Adds to what a model did."""
        name = model if model in self.models or len(self.models) < MOST_MODELS else OTHER_MODELS
        self.models.setdefault(name, ModelUse()).add(more)

    def interval(  # noqa: PLR0913 -- the six figures of a usage record
        self,
        start: float,
        seconds: float,
        *,
        requests: float | None = 0,
        input_tokens: float = 0,
        output_tokens: float = 0,
        cached: float | None = None,
    ) -> None:
        """Counts the requests of an interval, spread evenly over it.

        Args:
            start: Epoch seconds.
            seconds: Its length, more than 0 and at most 31 days.
            requests: Begun within it; None where the log does not count them.
            input_tokens: Of them, cached ones included.
            output_tokens: Of them.
            cached: Of the input, if the log tells.

        Raises:
            ValueError: The length is out of range.
        """
        if not 0 < seconds <= _LONGEST_INTERVAL:
            msg = "interval of no length or of more than 31 days"
            raise ValueError(msg)
        end = start + seconds
        tokens = input_tokens + output_tokens
        self._cover(start, end)
        if requests is None:
            requests = 0
            self.uncounted_input += input_tokens
            self.uncounted_output += output_tokens
        self._sum(requests, input_tokens, output_tokens, cached)
        if seconds > HOUR:
            self.coarse_requests += requests
            self.hourless_tokens += tokens
        if seconds > MINUTE:
            self.coarse_tokens += tokens
        self._spread(start, end, requests, tokens)

    def _spread(self, start: float, end: float, requests: float, tokens: float) -> None:
        if requests or tokens:
            for quarter, share in _shares(start, end, QUARTER):
                self._quarters[quarter] += requests * share
                self._quarter_tokens[quarter] += tokens * share
        if tokens:
            for minute, share in _shares(start - self.phase, end - self.phase, MINUTE):
                self._add_tokens(minute, tokens * share)

    def leave_out(self, reason: str) -> None:
        """Counts a row that is in order but no traffic."""
        self.rows += 1
        self.left_out[reason] += 1

    def reject(self, reason: str, place: str) -> None:
        """Counts a row that cannot be used; `place` tells its file and line."""
        self.rows += 1
        found = self.bad[reason]
        found.count += 1
        if len(found.places) < SHOWN:
            found.places.append(place)

    def requests_of_quarter(self, quarter: int) -> float:
        """Returns the requests of a quarter of an hour, numbered from the epoch."""
        return self._quarters.get(quarter, 0.0)

    def tokens_of_quarter(self, quarter: int) -> float:
        """Returns the tokens of a quarter of an hour, numbered from the epoch."""
        return self._quarter_tokens.get(quarter, 0.0)

    def tokens_of_minutes(self, first: int, last: int) -> list[float]:
        """Returns the tokens of each minute from `first` to `last`, both included."""
        return [
            hour[minute % MINUTE] if (hour := self._minutes.get(minute // MINUTE)) else 0.0
            for minute in range(first, last + 1)
        ]

    def busiest_minute(self, first: int, last: int) -> int:
        """Returns the minute with most tokens from `first` to `last`, the earliest of equals."""
        best, most = first, -1.0
        for hour in sorted(self._minutes):
            for minute, tokens in enumerate(self._minutes[hour], start=hour * MINUTE):
                if first <= minute <= last and tokens > most:
                    best, most = minute, tokens
        return best

    def _cover(self, start: float, end: float) -> None:
        self.start = min(self.start, start)
        self.end = max(self.end, end)
        if self._phase is None:
            self._phase = start % MINUTE

    def _sum(
        self, requests: float, input_tokens: float, output_tokens: float, cached: float | None
    ) -> None:
        self.requests += requests
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        if cached is not None:
            self.cached_tokens += cached
            self.input_with_cached += input_tokens

    def _add_tokens(self, minute: int, tokens: float) -> None:
        hour, within = divmod(minute, MINUTE)
        minutes = self._minutes.get(hour)
        if minutes is None:
            minutes = self._minutes[hour] = array("d", bytes(8 * MINUTE))
        minutes[within] += tokens


def _shares(start: float, end: float, step: int) -> list[tuple[int, float]]:
    """Divides an interval into steps counted from 0; the shares add up to 1."""
    first, last = int(start // step), int(-(-end // step)) - 1
    length = end - start
    return [
        (number, (min(end, (number + 1) * step) - max(start, number * step)) / length)
        for number in range(first, max(first, last) + 1)
    ]
