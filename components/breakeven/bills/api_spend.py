"""What an API charged, from the cost reports of OpenAI and Anthropic and the spend of LiteLLM.

OpenAI: `/v1/organization/costs` as JSON, or the CSV of its usage page. Anthropic:
`/v1/organizations/cost_report`, whose amounts are cents. LiteLLM: `/spend/logs` (a row for each
request) and `/user/daily/activity`. Read on 2026-11-30.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from breakeven.bills.charged import BillError

Charge: TypeAlias = tuple[datetime, datetime, Decimal]
"""Start, end and USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSpend:
    """What an API charged.

    Attributes:
        source: Whose report it is.
        start: Of the first charge, in UTC.
        end: Of the last charge, in UTC; of a log of requests the end of its last day.
        usd: Sum of all charges.
    """

    source: str
    start: datetime
    end: datetime
    usd: Decimal

    @property
    def hours(self) -> Decimal:
        """Hours of the period."""
        return Decimal(str((self.end - self.start).total_seconds())) / 3600


def read_api_spend(text: str, name: str, own_models: Collection[str]) -> ApiSpend | None:
    """Reads what an API charged; None where a text is not such a report.

    Args:
        text: Of the file.
        name: Of the file, for messages.
        own_models: Names under which the stack's own model is called; LiteLLM counts its requests
            too, and they are left out.

    Raises:
        BillError: It is cut off, has further pages, or an amount is not a number.
    """
    found = _charges(text, own_models)
    if found is None:
        return None
    source, charges = found
    try:
        listed = [charge for charge in charges if charge[2]]
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError, csv.Error) as error:
        msg = (
            f"{name}: a cost in the {source} report has no time or amount. Save the response "
            "unchanged"
        )
        raise BillError(msg) from error
    except _PagesError as error:
        msg = f"{name}: the {source} report has more pages. Save each page as a separate file"
        raise BillError(msg) from error
    if not listed:
        msg = (
            f"{name}: the {source} report contains no cost. Request a period in which the API "
            "was used"
        )
        raise BillError(msg)
    return ApiSpend(
        source=source,
        start=min(charge[0] for charge in listed),
        end=max(charge[1] for charge in listed),
        usd=sum((charge[2] for charge in listed), Decimal(0)),
    )


class _PagesError(Exception):
    """A page that is not the last."""


def _charges(text: str, own_models: Collection[str]) -> tuple[str, Iterator[Charge]] | None:
    first = text.lstrip("\ufeff \t\r\n")[:1]
    if first not in ("{", "["):
        header = text.partition("\n")[0].lower()
        is_openai = "amount_value" in header and "start_time" in header
        return ("OpenAI", _openai_rows(text)) if is_openai else None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return next(
        (
            (source, read(document, own_models))
            for source, recognizes, read in _REPORTS
            if recognizes(document)
        ),
        None,
    )


def _buckets(document: Any) -> list[Mapping[str, Any]]:
    data = document.get("data") if isinstance(document, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _is_openai(document: Any) -> bool:
    return any(
        result.get("object") == "organization.costs.result"
        for bucket in _buckets(document)
        for result in bucket.get("results", [])
    )


def _openai(document: Any, _own: Collection[str]) -> Iterator[Charge]:
    for bucket in _pages(document):
        start, end = (
            datetime.fromtimestamp(bucket[key], UTC) for key in ("start_time", "end_time")
        )
        for result in bucket["results"]:
            yield start, end, _dollars(result["amount"]["value"], result["amount"]["currency"])


def _openai_rows(text: str) -> Iterator[Charge]:
    for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff"))):
        fields = {key.lower(): value for key, value in row.items() if key and value}
        start = _time(fields.get("start_time_iso") or fields["start_time"])
        end = fields.get("end_time_iso") or fields.get("end_time")
        until = _time(end) if end else start + timedelta(days=1)
        yield start, until, _dollars(fields["amount_value"], fields.get("amount_currency", "usd"))


def _is_anthropic(document: Any) -> bool:
    return any(
        "starting_at" in bucket and "amount" in result
        for bucket in _buckets(document)
        for result in bucket.get("results", [])
    )


def _anthropic(document: Any, _own: Collection[str]) -> Iterator[Charge]:
    for bucket in _pages(document):
        start, end = _time(bucket["starting_at"]), _time(bucket["ending_at"])
        for result in bucket["results"]:
            yield start, end, _dollars(result["amount"], result.get("currency", "USD")) / 100


def _is_daily(document: Any) -> bool:
    results = document.get("results") if isinstance(document, dict) else None
    return isinstance(results, list) and any("metrics" in one for one in results)


def _daily(document: Any, own: Collection[str]) -> Iterator[Charge]:
    if document.get("metadata", {}).get("has_more"):
        raise _PagesError
    for one in document["results"]:
        day = date.fromisoformat(str(one["date"])[:10])
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        models = one.get("breakdown", {}).get("models") or {}
        spent = _dollars(one["metrics"]["spend"], "usd") - sum(
            (
                _dollars(entry["metrics"]["spend"], "usd")
                for model, entry in models.items()
                if _is_own(model, own)
            ),
            Decimal(0),
        )
        yield start, start + timedelta(days=1), spent


def _logged(document: Any) -> list[Mapping[str, Any]]:
    rows = document if isinstance(document, list) else _buckets(document)
    return [row for row in rows if isinstance(row, dict)]


def _is_log(document: Any) -> bool:
    rows = _logged(document)
    return bool(rows) and "spend" in rows[0] and ("startTime" in rows[0] or "model" in rows[0])


def _log(document: Any, own: Collection[str]) -> Iterator[Charge]:
    for row in _logged(document):
        if _is_own(str(row.get("model_group") or row.get("model")), own):
            continue
        begun = _time(str(row["startTime"]))
        # A log of requests covers whole days, or its share of a month would be that of its bursts.
        start = begun.replace(hour=0, minute=0, second=0, microsecond=0)
        yield start, start + timedelta(days=1), _dollars(row["spend"], "usd")


_Read: TypeAlias = Callable[[Any, Collection[str]], Iterator[Charge]]

_REPORTS: tuple[tuple[str, Callable[[Any], bool], _Read], ...] = (
    ("OpenAI", _is_openai, _openai),
    ("Anthropic", _is_anthropic, _anthropic),
    ("LiteLLM", _is_daily, _daily),
    ("LiteLLM", _is_log, _log),
)


def _pages(document: Any) -> list[Mapping[str, Any]]:
    if document.get("has_more"):
        raise _PagesError
    return _buckets(document)


def _is_own(model: str, own: Collection[str]) -> bool:
    return model in own or model.rpartition("/")[2] in own


def _dollars(value: object, currency: str) -> Decimal:
    if currency.upper() != "USD":
        raise ValueError(currency)
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise ValueError(value)
    return amount


def _time(text: str) -> datetime:
    if text.isdecimal():
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
