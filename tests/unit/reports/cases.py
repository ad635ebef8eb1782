"""Reports of many kinds, and how to read figures back from what is written of them."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from breakeven.cost.demand.load import published_shape
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.reports.document.writing import as_output
from tests.unit.cost.builders import api, assumptions, capacity, node, pool, simulated, volume

DOLLARS = re.compile(r"\$([\d,]+\.\d\d)(?!\d)")


def report_of(
    tokens_per_day: int = 100_000_000, *, shaped: bool = False, **changes: object
) -> Report:
    """A report of one pool and one volume."""
    base = assumptions(**changes)
    shape = published_shape()[0] if shaped else base.load.shape
    load = replace(base.load, tokens_per_day=tokens_per_day, shape=shape)
    week = simulated(len(shape))
    return estimate((pool(), volume()), replace(base, load=load, simulated=week))


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Cheap and dear, small and large, with and without people, contingency and other offers."""
    people = replace(
        assumptions().staffing,
        contingency_share=draw(st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.17")])),
        on_call_per_month=draw(st.decimals("0", "3000", places=2)),
    )
    offers = draw(st.integers(0, 3))
    return report_of(
        draw(st.integers(10**5, 10**9)),
        shaped=draw(st.booleans()),
        staffing=people,
        node=node(str(draw(st.decimals("0.01", "99", places=4)))),
        capacity=capacity(draw(st.floats(0.5, 50))),
        hosted=tuple(api(f"host{number}/model", f"0.{number + 1}") for number in range(offers)),
        data_may_leave=draw(st.booleans()),
    )


def amounts(text: str) -> set[Decimal]:
    """All amounts of USD with cents that a text has."""
    return {Decimal(found.replace(",", "")) for found in DOLLARS.findall(text)}


def output_amounts(report: Report) -> set[Decimal]:
    """The amounts of a report's JSON form that every format for people has to show."""
    output = as_output(report)
    own = output["selfHosted"]
    apis = [output["api"], *output["hosted"]]  # type: ignore[misc]
    assert isinstance(own, dict)
    shown = [own["total"], own["machines"]]
    shown += [line["monthly"] for line in own["lines"]]
    shown += [cost["monthly"] for cost in apis]
    return {Decimal(text) for text in shown}
