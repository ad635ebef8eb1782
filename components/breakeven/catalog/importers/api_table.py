"""A table of API offers as CSV: a row per offer and source, as several price trackers publish it.

Needed columns: provider, model, source, as_of. Read where they are there: the prices
`..._usd_per_mtok`, the limits `max_input_tokens` and `max_output_tokens`, and `deprecation_date`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from breakeven.catalog.apis.offers import ApiOffer, stated_quantization, stated_region
from breakeven.catalog.importers.listing import SourceError, parse_day

NEEDED = ("provider", "model", "source", "as_of")

_IN_USE = "genai-prices"
"""Source whose rows are left out: its prices are read from the package itself."""

_PRICES = ("input", "cached_read", "cache_write", "output", "batch_input", "batch_output")
_BEYOND = 10**6
"""USD per 1M tokens from which on a figure is misread, not a price."""


def read_table(lines: Iterable[str], name: str) -> Iterator[ApiOffer]:
    """Yields the offers of a table, but for those of the package in use.

    Args:
        lines: Lines of the file.
        name: Name of the file, for messages.

    Raises:
        SourceError: A column is missing, a value cannot be used, or the table has no offer.
    """
    rows = csv.DictReader(lines)
    found = False
    try:
        missing = [column for column in NEEDED if column not in (rows.fieldnames or ())]
        if missing:
            msg = f"{name}, line 1: no column {', '.join(missing)}; needed: {', '.join(NEEDED)}"
            raise SourceError(msg)
        for row in rows:
            where = f"{name}, line {rows.line_num}"
            if not str(row["source"]).startswith(_IN_USE):
                found = True
                yield _offer(where, row)
    except csv.Error as error:
        msg = f"{name}, line {rows.line_num}: invalid CSV: {error}"
        raise SourceError(msg) from None
    if not found:
        msg = f"{name}: no offer of a source other than {_IN_USE}"
        raise SourceError(msg)


def _offer(where: str, row: Mapping[str, str]) -> ApiOffer:
    empty = [column for column in NEEDED if not row.get(column)]
    if empty:
        msg = f"{where}: no {', '.join(empty)}; needed: {', '.join(NEEDED)}"
        raise SourceError(msg)
    model = row["model"]
    return ApiOffer(
        provider=row["provider"],
        model=model,
        **{column: _price(where, row, column) for column in _PRICES},
        max_input_tokens=_tokens(where, row, "max_input_tokens"),
        max_output_tokens=_tokens(where, row, "max_output_tokens"),
        retires=_day(where, row),
        quantization=stated_quantization(model),
        region=stated_region(model),
        source=row["source"],
        as_of=parse_day(where, row["as_of"]),
    )


def _price(where: str, row: Mapping[str, str], column: str) -> Decimal | None:
    key = f"{column}_usd_per_mtok"
    text = row.get(key) or ""
    if not text:
        return None
    try:
        usd = Decimal(text)
    except InvalidOperation:
        usd = Decimal(-1)
    if not (usd.is_finite() and 0 <= usd < _BEYOND):
        msg = f'{where}: {key} is "{text}". Allowed: USD per 1M tokens, 0 to below {_BEYOND:,}'
        raise SourceError(msg)
    return usd.normalize() if usd else None


def _tokens(where: str, row: Mapping[str, str], column: str) -> int | None:
    text = row.get(column) or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        msg = f'{where}: {column} is "{text}". Allowed: a number of tokens'
        raise SourceError(msg)
    return int(text) or None


def _day(where: str, row: Mapping[str, str]) -> date | None:
    text = row.get("deprecation_date") or ""
    return parse_day(where, text) if text else None
