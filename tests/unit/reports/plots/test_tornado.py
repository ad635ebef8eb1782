"""The tornado shows what each input alone does, and tells no private price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.cost.sensitivity.ranges import INPUTS
from breakeven.reports.plots.tornado import Tornado, tornado_of, tornado_picture
from breakeven.reports.sentences.inputs import input_name
from tests.unit.cost.builders import api, assumptions, node, pool, volume

LEDGER = (pool(), volume())


def tornado(report: Report) -> Tornado:
    found = tornado_of(report, LEDGER)
    assert found is not None
    return found


def test_it_compares_with_the_cheapest_api_and_starts_with_the_widest_bar() -> None:
    report = estimate(LEDGER, assumptions(hosted=(api("test/hosted", "0.5"),)))
    found = tornado(report)
    assert found.against == "test/hosted"
    assert found.saving == report.hosted[0].monthly - report.total
    widths = [bar.width for bar in found.bars]
    assert widths == sorted(widths, reverse=True)
    assert {bar.name for bar in found.bars} == set(INPUTS)


@pytest.mark.parametrize("usd", ["0.01", "1.9", "90"])
def test_the_words_name_exactly_the_inputs_that_flip_the_verdict(usd: str) -> None:
    report = estimate(LEDGER, assumptions(node=node(usd)))
    found = tornado(report)
    words = tornado_picture(found).description
    for bar in found.bars:
        assert (input_name(bar.name).lower() in words) == (bar.flips_at_percent is not None)


def test_a_private_node_price_has_no_bar() -> None:
    rented = node("1.234")
    secret = replace(rented, price=replace(rented.price, private=True))
    report = estimate(LEDGER, assumptions(node=secret))
    assert "node-price" not in {bar.name for bar in tornado(report).bars}
