"""Cost and Usage Report 2.0 of AWS, and the columns of the same names in the one before it.

Columns: docs.aws.amazon.com/cur, dictionary of CUR 2.0, read on 2026-11-30.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from breakeven.bills.formats.format import Format, Reader

if TYPE_CHECKING:
    from polars import Expr

_TYPE = "line_item_line_item_type"
_CREDITS = ("Credit", "Refund", "EdpDiscount", "BundledDiscount", "PrivateRateDiscount")


def _cost(reader: Reader) -> Expr:
    """Amortized cost: what a commitment covers at its effective price, its payments only unused.

    With discounts of the contract where the export has the "net" columns.
    """
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    def number(name: str, *others: str) -> Expr:
        return reader.column(name, *others).cast(pl.Float64, strict=False).fill_null(0.0)

    kind = reader.text(_TYPE)
    unused_plan = number("savings_plan_total_commitment_to_date") - number(
        "savings_plan_used_commitment"
    )
    unused_reservation = number(
        "reservation_unused_amortized_upfront_fee_for_billing_period"
    ) + number("reservation_unused_recurring_fee")
    exact = reader.column("line_item_net_unblended_cost", "line_item_unblended_cost")

    def text(value: Expr) -> Expr:
        return value.cast(pl.String)

    return (
        pl.when(kind == "SavingsPlanCoveredUsage")
        .then(
            text(
                reader.column(
                    "savings_plan_net_savings_plan_effective_cost",
                    "savings_plan_savings_plan_effective_cost",
                )
            )
        )
        .when(kind == "DiscountedUsage")
        .then(text(reader.column("reservation_net_effective_cost", "reservation_effective_cost")))
        .when(kind == "SavingsPlanRecurringFee")
        .then(text(unused_plan))
        .when(kind == "RIFee")
        .then(text(unused_reservation))
        .when(kind.is_in(["SavingsPlanNegation", "SavingsPlanUpfrontFee"]))
        .then(pl.lit("0"))
        .otherwise(text(exact))
    )


def _kind(reader: Reader) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    kind = reader.text(_TYPE)
    return (
        pl.when(kind == "Tax")
        .then(pl.lit("tax"))
        .when(kind.is_in(_CREDITS))
        .then(pl.lit("credit"))
        .when(kind.is_in(["RIFee", "SavingsPlanRecurringFee"]))
        .then(pl.lit("unused"))
        .otherwise(pl.lit("usage"))
    )


def _tag_keys(key: str) -> tuple[str, ...]:
    plain = re.sub(r"[^0-9A-Za-z]", "_", key)
    return tuple(dict.fromkeys((f"user_{plain}", f"user:{key}", f"aws_{plain}", plain, key)))


AWS_CUR = Format(
    name="AWS CUR 2.0",
    needs=frozenset(
        {_TYPE, "line_item_unblended_cost", "line_item_usage_type", "line_item_usage_amount"}
    ),
    tags="resource_tags",
    service=lambda reader: reader.text("line_item_product_code"),
    item=lambda reader: reader.joined("line_item_usage_type", "product_instance_type"),
    unit=lambda reader: reader.text("pricing_unit"),
    quantity=lambda reader: reader.column("line_item_usage_amount"),
    cost=_cost,
    kind=_kind,
    start=lambda reader: reader.text("line_item_usage_start_date"),
    end=lambda reader: reader.text("line_item_usage_end_date"),
    currency=lambda reader: reader.text("line_item_currency_code"),
    tag_keys=_tag_keys,
)
