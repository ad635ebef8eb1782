"""Cost details of Azure, actual or amortized: learn.microsoft.com, read on 2026-11-30."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakeven.bills.formats.format import Format, Reader

if TYPE_CHECKING:
    from polars import Expr


def _kind(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    charge = reader.text("chargetype").str.to_lowercase()
    return (
        pl.when(charge == "tax")
        .then(pl.lit("tax"))
        .when(charge.is_in(["refund", "roundingadjustment"]))
        .then(pl.lit("credit"))
        .when(charge.is_in(["unusedreservation", "unusedsavingsplan"]))
        .then(pl.lit("unused"))
        .otherwise(pl.lit("usage"))
    )


def _day(reader: Reader) -> Expr:
    """The day as ISO 8601; Azure writes it so, or month first."""
    text = reader.text("date", "usagedatetime").str.slice(0, 10)
    american = text.str.replace(r"^(\d\d)/(\d\d)/(\d{4})$", "$3-$1-$2")
    return american.str.slice(0, 10)


def _next_day(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    return _day(reader).str.to_date("%Y-%m-%d", strict=False).dt.offset_by("1d").cast(pl.String)


def _currency(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    if reader.has("costinusd"):
        return pl.lit("USD")
    return reader.text("billingcurrency", "billingcurrencycode", "currency")


AZURE = Format(
    name="Azure cost details",
    needs=frozenset({"metercategory", "metername", "quantity", "resourceid"}),
    tags="tags",
    service=lambda reader: reader.joined("metercategory", "metersubcategory"),
    item=lambda reader: reader.joined("metername", "additionalinfo"),
    unit=lambda reader: reader.text("unitofmeasure"),
    quantity=lambda reader: reader.column("quantity", "usagequantity"),
    cost=lambda reader: reader.column("costinusd", "costinbillingcurrency", "cost", "pretaxcost"),
    kind=_kind,
    start=_day,
    end=_next_day,
    currency=_currency,
)
