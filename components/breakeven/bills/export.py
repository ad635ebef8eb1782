"""Reads an export of a cloud's bill, of any number of rows at little memory.

polars reads CSV, Parquet and lines of JSON lazily and in pieces, on as many threads as there are
processors; only the columns that count are read, and only sums are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.bills.charged import BillError, Charged, ChargedItem
from breakeven.bills.formats.aws_cur import AWS_CUR
from breakeven.bills.formats.azure import AZURE
from breakeven.bills.formats.focus import FOCUS
from breakeven.bills.formats.format import Format, Reader
from breakeven.bills.formats.google import GOOGLE
from breakeven.bills.tags import carries

if TYPE_CHECKING:
    from polars import Expr, LazyFrame

FORMATS: tuple[Format, ...] = (AWS_CUR, FOCUS, AZURE, GOOGLE)

_DECIMALS = 12  # AWS bills with ten
_KEYS = ("kind", "service", "item", "unit", "currency")

Tags = Sequence[tuple[str, str]]
"""Key and value of tags that all have to be there."""


def looks_like_export(path: Path) -> bool:
    """Tells by its ending and first bytes whether a file may be an export of a bill."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return True
    return name.endswith((".csv", ".csv.gz", ".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"))


def read_export(path: Path, tags: Tags) -> Charged:
    """Reads what an export charges to the rows that carry some tags.

    Args:
        path: A CSV, CSV.gz, Parquet or JSONL file.
        tags: All of which a row has to carry; empty for all rows.

    Raises:
        BillError: It cannot be read, is of no known kind, states another currency than USD, or no
            row carries the tags.
    """
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    try:
        frame = _scan(path)
        columns = dict(frame.collect_schema())
        kind = next((one for one in FORMATS if one.recognizes(columns)), None)
        if kind is None:
            raise BillError(_unknown(path, list(columns)))
        sums = _summed(frame, kind, Reader(columns), tags).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        msg = f"{path}: cannot read the file ({reason}). Export it again as CSV, Parquet or JSONL"
        raise BillError(msg) from error
    return _charged(path, kind, sums.to_dicts(), tags)


def _scan(path: Path) -> LazyFrame:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    name = path.name.lower()
    if name.endswith(".parquet"):
        return pl.scan_parquet(path)
    if name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        return pl.scan_ndjson(path, infer_schema_length=1000)
    # Amounts stay text until they are decimals.
    return pl.scan_csv(path, infer_schema=False)


def _summed(frame: LazyFrame, kind: Format, reader: Reader, tags: Tags) -> LazyFrame:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    selected: Expr = pl.lit(value=True)
    for key, value in tags:
        selected &= carries(reader, kind, key, value)
    rows = frame.select(
        selected=selected,
        kind=kind.kind(reader),
        service=kind.service(reader),
        item=kind.item(reader),
        unit=kind.unit(reader),
        currency=kind.currency(reader).str.to_uppercase(),
        quantity=kind.quantity(reader).cast(pl.Float64, strict=False),
        cost=_amount(kind.cost(reader)),
        unreadable=_unreadable(kind.cost(reader)),
        start=kind.start(reader),
        end=kind.end(reader),
    )
    # Of rows of others only number and period count: they are one group.
    own = [
        pl.when("selected").then(pl.col(name)).otherwise(pl.lit("")).alias(name) for name in _KEYS
    ]
    dated = pl.when(pl.col("start") != "").then(pl.col("start"))
    ended = pl.when(pl.col("end") != "").then(pl.col("end"))
    return (
        rows.with_columns(own)
        .group_by("selected", *_KEYS)
        .agg(
            pl.len().alias("rows"),
            pl.col("quantity").sum(),
            pl.col("cost").sum(),
            pl.col("unreadable").sum(),
            dated.min().alias("start"),
            ended.max().alias("end"),
        )
    )


def _amount(cost: Expr) -> Expr:
    """Returns an amount as a decimal, so that sums are exact; also from 1.2e-05."""
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    decimal = pl.Decimal(38, _DECIMALS)
    text = cost.cast(pl.String)
    exact = text.cast(decimal, strict=False)
    return pl.coalesce(exact, text.cast(pl.Float64, strict=False).cast(decimal, strict=False))


def _unreadable(cost: Expr) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    text = cost.cast(pl.String)
    return (text.is_not_null() & (text != "") & _amount(cost).is_null()).cast(pl.UInt32)


def _charged(path: Path, kind: Format, groups: list[dict[str, Any]], tags: Tags) -> Charged:
    rows = sum(group["rows"] for group in groups)
    own = [group for group in groups if group["selected"]]
    said = " and ".join(f"{key}={value}" for key, value in tags)
    if not rows:
        msg = f"{path}: has a header but no rows. Export a billed period"
        raise BillError(msg)
    if not own:
        msg = (
            f"{path}: none of {rows:,} rows has {said}. Check key and value. On AWS, activate "
            "the tag as a cost allocation tag to include it in the export"
        )
        raise BillError(msg)
    if bad := sum(group["unreadable"] for group in own):
        msg = f"{path}: the cost of {bad:,} rows is not a number. Export it again"
        raise BillError(msg)
    foreign = {group["currency"] for group in own} - {"USD", ""}
    if foreign:
        msg = (
            f"{path}: charged in {', '.join(sorted(foreign))}. Allowed: USD; on Azure add the "
            "column costInUsd, elsewhere convert the cost column"
        )
        raise BillError(msg)
    items = [
        ChargedItem(
            kind=group["kind"],
            service=group["service"].strip(),
            item=group["item"].strip(),
            unit=group["unit"].strip().lower(),
            quantity=round(Decimal(repr(group["quantity"] or 0.0)), 6),
            cost=group["cost"] or Decimal(0),
        )
        for group in own
    ]
    start, end = _period(path, groups)
    return Charged(
        name=str(path),
        format=kind.name,
        start=start,
        end=end,
        items=tuple(sorted(items, key=lambda item: (-item.cost, item.service, item.item))),
        rows=rows,
        selected=sum(group["rows"] for group in own),
        tagged=bool(tags),
    )


def _period(path: Path, groups: list[dict[str, Any]]) -> tuple[datetime, datetime]:
    starts = [group["start"] for group in groups if group["start"]]
    ends = [group["end"] for group in groups if group["end"]]
    try:
        start, end = _moment(min(starts)), _moment(max(ends))
    except ValueError as error:
        msg = f"{path}: no row has a valid time. Export start and end of usage"
        raise BillError(msg) from error
    if start >= end:
        times = f"starts {start.isoformat()} and ends {end.isoformat()}"
        msg = f"{path}: the usage {times}. Export start and end of usage"
        raise BillError(msg)
    return start, end


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip().replace(" UTC", ""))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unknown(path: Path, columns: list[str]) -> str:
    seen = ", ".join(column[:60] for column in columns[:6])
    known = "; ".join(f"{one.name} ({', '.join(sorted(one.needs))})" for one in FORMATS)
    return f"{path}: unknown columns {seen}, …. Allowed: {known}"
