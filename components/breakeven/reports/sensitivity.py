"""A sensitivity analysis as text and as plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from breakeven.cost.bill.node_cost import NodeCost, OwnedNode
from breakeven.cost.sensitivity.monte_carlo import Bar, MonteCarlo, Percentiles
from breakeven.cost.sensitivity.ranges import INPUTS, InputRange
from breakeven.cost.sensitivity.scenario import Outcome, Scenario, ScenarioModel
from breakeven.reports.formatting import (
    currency_name,
    money,
    month_name,
    rate,
    shown_in,
    usd,
    usd_per_million,
    volume,
)
from breakeven.reports.sentences.descriptions import served_on
from breakeven.reports.sentences.inputs import input_name
from breakeven.reports.sentences.line_items import not_priced_name
from breakeven.reports.text import drawn, text_table, wrapped

_Value = TypeVar("_Value", Decimal, float)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The whole answer.

    Attributes:
        stack: The stack.
        inputs: The range of every input.
        drawn: All inputs varied together.
        bars: Each input alone, for each comparator.
    """

    stack: ScenarioModel
    inputs: Mapping[str, InputRange]
    drawn: MonteCarlo
    bars: tuple[tuple[Bar, ...], ...]


def as_text(analysis: Sensitivity) -> str:
    """Returns the answer as text of at most 96 columns."""
    with shown_in(analysis.stack.assumptions.currency):
        return "".join(_parts(analysis)).rstrip("\n")


def _parts(analysis: Sensitivity) -> list[str]:
    assumptions = analysis.stack.assumptions
    stated = analysis.stack.outcome(Scenario())
    served = served_on(assumptions)
    title = f"SENSITIVITY OF STACK {assumptions.stack}"
    currency = currency_name(assumptions.currency)
    heading = wrapped(
        [title, f"{served}; {month_name(assumptions.calendar)} per month; {currency}"]
    )
    tornados = (_tornado(analysis, number, stated) for number in range(len(analysis.bars)))
    return [heading, _inputs(analysis), _percentiles(analysis, stated), *tornados]


def as_output(analysis: Sensitivity) -> dict[str, object]:
    """Returns all figures as plain values; money are decimal strings in USD a month.

    A break-even is tokens a day, None for never.
    """
    result = analysis.drawn
    stated = analysis.stack.outcome(Scenario())
    return {
        "stack": analysis.stack.assumptions.stack,
        "currency": "USD",
        "month": month_name(analysis.stack.assumptions.calendar),
        "samples": result.samples,
        "seed": result.seed,
        "inputsPercent": {
            name: [one.low_percent, one.high_percent] for name, one in analysis.inputs.items()
        },
        "total": {"stated": money(stated.total), **_written(result.total, money)},
        "perMillionTokens": {
            "stated": rate(stated.usd_per_million_tokens),
            **_written(result.usd_per_million_tokens, rate),
        },
        "notPriced": [not_priced_name(item) for item in analysis.stack.not_priced],
        "fleetTooSmallShare": round(result.short_share, 4),
        "against": [
            {
                "api": api.reference,
                "saving": {
                    "stated": money(stated.saving(number)),
                    **_written(against.saving, money),
                },
                "breakEvenTokensPerDay": _written(against.break_even, _tokens),
                "selfHostingPaysShare": round(against.pays_share, 4),
                "breakEvenNeverShare": round(against.never_share, 4),
                "tornado": [_bar_output(bar) for bar in analysis.bars[number]],
            }
            for number, (api, against) in enumerate(
                zip(analysis.stack.comparators, result.against, strict=True)
            )
        ],
    }


def _inputs(analysis: Sensitivity) -> str:
    table = text_table("Input ranges")
    table.add_column("Input", ratio=1)
    table.add_column("Low", justify="right", no_wrap=True)
    table.add_column("Base case", justify="right", no_wrap=True)
    table.add_column("High", justify="right", no_wrap=True)
    table.add_column("--range", no_wrap=True)
    for name in INPUTS:
        one = analysis.inputs[name]
        values = (
            _value(analysis.stack, name, percent)
            for percent in (one.low_percent, 100, one.high_percent)
        )
        table.add_row(input_name(name), *values, f"{name}={one.low_percent}:{one.high_percent}")
    return drawn(table)


def _percentiles(analysis: Sensitivity, stated: Outcome) -> str:
    result = analysis.drawn
    table = text_table(f"Outcomes of {result.samples:,} draws, seed {result.seed}")
    table.add_column("", ratio=1, overflow="fold")
    for title in ("Base case", "P10", "P50", "P90"):
        table.add_column(title, justify="right", no_wrap=True)
    total, rates = result.total, result.usd_per_million_tokens
    table.add_row("Self-hosted, monthly", usd(stated.total), *_each(total, usd))
    table.add_row(
        "Cost per 1M tokens",
        usd_per_million(stated.usd_per_million_tokens),
        *_each(rates, usd_per_million),
    )
    crossings = analysis.stack.break_even(Scenario())
    below = []
    for number, api in enumerate(analysis.stack.comparators):
        against = result.against[number]
        table.add_row(
            f"Saving compared with {api.reference}",
            usd(stated.saving(number)),
            *_each(against.saving, usd),
        )
        table.add_row(
            "  break-even, tokens per day",
            _crossing(crossings[number]),
            *_each(against.break_even, _crossing),
        )
        below.append(
            f"Self-hosting costs less than {api.reference} in {against.pays_share:.0%} of draws."
        )
    if result.short_share:
        below.append(
            f"In {result.short_share:.0%} of draws the configured fleet is too small for the "
            "load; the costs are those of a fleet that serves all of it."
        )
    if analysis.stack.not_priced:
        names = ", ".join(map(not_priced_name, analysis.stack.not_priced))
        below.append(f"Not priced, and not included in any total: {names}; see breakeven estimate.")
    return drawn(table) + wrapped(below)


def _tornado(analysis: Sensitivity, comparator: int, stated: Outcome) -> str:
    api = analysis.stack.comparators[comparator]
    table = text_table(f"Effect of each input on the saving compared with {api.reference}")
    table.add_column("Input", ratio=1)
    table.add_column("At low", justify="right", no_wrap=True)
    table.add_column("At high", justify="right", no_wrap=True)
    table.add_column("Range", justify="right", no_wrap=True)
    table.add_column("Flips at", justify="right", no_wrap=True)
    for bar in analysis.bars[comparator]:
        flip = bar.flips_at_percent
        at = "-" if flip is None else _flip(analysis.stack, bar.name, flip)
        table.add_row(input_name(bar.name), usd(bar.low), usd(bar.high), usd(bar.width), at)
    verdict = "self-hosting costs less" if stated.pays(comparator) else "the API costs less"
    return drawn(table) + wrapped(
        [f"Base case: {verdict}; saving {usd(stated.saving(comparator))}."]
    )


def _node_price(node: NodeCost) -> str | None:
    """Writes the price of a node; None for one that is not to be shown."""
    if isinstance(node, OwnedNode):
        return f"${node.purchase_price:,.0f}"
    return None if node.price.private else f"${node.price.usd:,.3f}/h"


def _flip(stack: ScenarioModel, name: str, percent: int) -> str:
    value = _value(stack, name, percent)
    return value if value.endswith("%") and name != "engineer" else f"{value} ({percent}%)"


def _value(stack: ScenarioModel, name: str, percent: int) -> str:
    """Writes an input at a percent of what the stack states, in its own unit."""
    assumptions = stack.apply(Scenario(**{name.replace("-", "_"): percent / 100}))
    return {
        "capacity": f"{assumptions.capacity.requests_per_second:,.3g}",
        "tokens": volume(assumptions.load.tokens_per_day),
        "node-price": _node_price(assumptions.node) or f"{percent}%",
        "engineer": f"{assumptions.staffing.engineer_share:.0%}",
        "burst": f"{assumptions.load.burst_factor:.2f}",
        "api-price": f"{percent}%",
    }[name]


def _each(values: Percentiles[_Value], write: Callable[[_Value], str]) -> tuple[str, str, str]:
    return write(values.p10), write(values.p50), write(values.p90)


def _written(values: Percentiles[_Value], write: Callable[[_Value], object]) -> dict[str, object]:
    return {"p10": write(values.p10), "p50": write(values.p50), "p90": write(values.p90)}


def _crossing(tokens: float) -> str:
    return "never" if math.isinf(tokens) else volume(tokens)


def _tokens(tokens: float) -> int | None:
    return None if math.isinf(tokens) else round(tokens)


def _bar_output(bar: Bar) -> dict[str, object]:
    return {
        "input": bar.name,
        "savingAtLow": money(bar.low),
        "savingAtHigh": money(bar.high),
        "leastSaving": money(bar.least),
        "mostSaving": money(bar.most),
        "flipsAtPercent": bar.flips_at_percent,
    }
