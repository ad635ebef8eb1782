"""Billing data that Google Cloud exports to BigQuery, saved as Parquet or as lines of JSON.

Nested names are spelled with a dot, or flattened with an underscore as a query gives them:
docs.cloud.google.com/billing, "standard" and "detailed" usage cost, read on 2026-11-30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakeven.bills.formats.format import Format, Reader

if TYPE_CHECKING:
    from polars import Expr


def _nested(reader: Reader, name: str, field: str) -> Expr:
    """A field of a struct, or the flattened column."""
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    if reader.has(name) and isinstance(reader.types[name], pl.Struct):
        value = pl.col(reader.spelling(name)).struct.field(field)
        return value.cast(pl.String).fill_null("")
    return reader.text(f"{name}.{field}", f"{name}_{field}")


def _cost(reader: Reader) -> Expr:
    """Cost less the credits of the row, which are below 0."""
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    cost = reader.column("cost").cast(pl.Float64, strict=False)
    kind = reader.types.get("credits")
    if isinstance(kind, pl.List):
        amounts = pl.col(reader.spelling("credits")).list.eval(
            pl.element().struct.field("amount").cast(pl.Float64)
        )
        return cost + amounts.list.sum().fill_null(0.0)
    return reader.column("cost") if kind is None else cost


def _kind(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    kind = reader.text("cost_type")
    return (
        pl.when(kind == "tax")
        .then(pl.lit("tax"))
        .when(kind.is_in(["adjustment", "rounding_error"]))
        .then(pl.lit("credit"))
        .otherwise(pl.lit("usage"))
    )


GOOGLE = Format(
    name="Google Cloud billing export",
    needs=frozenset({"cost", "usage_start_time", "usage_end_time", "cost_type"}),
    tags="labels",
    service=lambda reader: _nested(reader, "service", "description"),
    item=lambda reader: _nested(reader, "sku", "description"),
    unit=lambda reader: _nested(reader, "usage", "pricing_unit"),
    quantity=lambda reader: _nested(reader, "usage", "amount_in_pricing_units"),
    cost=_cost,
    kind=_kind,
    start=lambda reader: reader.text("usage_start_time"),
    end=lambda reader: reader.text("usage_end_time"),
    currency=lambda reader: reader.text("currency"),
)
