"""FOCUS 1.2 (and 1.0), which all large clouds export: focus.finops.org, read on 2026-11-30."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breakeven.bills.formats.format import Format, Reader

if TYPE_CHECKING:
    from polars import Expr


def _kind(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    category = reader.text("chargecategory")
    return (
        pl.when(category == "Tax")
        .then(pl.lit("tax"))
        .when(category.is_in(["Credit", "Adjustment"]))
        .then(pl.lit("credit"))
        .when(reader.text("commitmentdiscountstatus") == "Unused")
        .then(pl.lit("unused"))
        .otherwise(pl.lit("usage"))
    )


def _item(reader: Reader) -> Expr:
    """The SKU; the machine type is in one of these columns, depending on the provider."""
    return reader.joined("skumeter", "x_skumetername", "x_usagetype", "skupricedetails")


FOCUS = Format(
    name="FOCUS 1.2",
    needs=frozenset({"effectivecost", "chargecategory", "servicename", "chargeperiodstart"}),
    tags="tags",
    service=lambda reader: reader.joined("servicecategory", "servicename"),
    item=_item,
    unit=lambda reader: reader.text("consumedunit", "pricingunit"),
    quantity=lambda reader: reader.column("consumedquantity", "pricingquantity"),
    cost=lambda reader: reader.column("effectivecost"),
    kind=_kind,
    start=lambda reader: reader.text("chargeperiodstart"),
    end=lambda reader: reader.text("chargeperiodend"),
    currency=lambda reader: reader.text("billingcurrency"),
    tag_keys=lambda key: (key, f"user:{key}"),
)
