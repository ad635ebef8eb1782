"""Statements sum to the whole bill, whoever used what, by every rule."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.chargeback.statement import (
    PARTS,
    ChargebackError,
    Rule,
    Use,
    split,
    statement,
)
from breakeven.cost.report import Report
from breakeven.money import to_cents
from tests.unit.reports.cases import report_of, reports

amounts = st.decimals(min_value=0, max_value=10**9, places=2)
RULES: tuple[Rule, ...] = ("used", "reserved", "even")
TEAMS = ("a", "b", "c")
RESERVED = {"a": 1, "b": 7, "c": 10**9}


@st.composite
def used(draw: st.DrawFn) -> list[Use]:
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(TEAMS), st.sampled_from(("", "m", "n"))),
            min_size=1,
            unique=True,
        )
    )
    return [
        Use(team=team, model=model, own_tokens=draw(amounts), api_usd=draw(amounts))
        for team, model in keys
    ]


@settings(max_examples=60)
@given(reports(), used(), st.sampled_from(RULES), st.none() | amounts)
def test_the_statements_sum_to_the_bill_to_the_cent(
    report: Report, uses: list[Use], rule: Rule, total: Decimal | None
) -> None:
    found = statement(report, uses, rule, reserved=RESERVED, total=total)
    expected = report.total if total is None else to_cents(total)
    assert found.total == expected
    assert sum((charge.total for charge in found.charges), Decimal(0)) == expected
    for charge in found.charges:
        assert all(amount == to_cents(amount) for amount in charge.parts.values())


@given(amounts, st.lists(amounts, min_size=1).filter(any))
def test_parts_of_an_amount_sum_to_it_and_are_off_by_less_than_a_cent(
    amount: Decimal, weights: list[Decimal]
) -> None:
    parts = split(amount, weights)
    assert sum(parts, Decimal(0)) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / sum(weights)) <= Decimal("0.01")


def test_rules_split_what_nobody_alone_causes() -> None:
    report = report_of()
    uses = [Use(team="a", own_tokens=Decimal(900)), Use(team="b", own_tokens=Decimal(100))]

    def idle_of_a(rule: Rule) -> Decimal:
        found = statement(report, uses, rule, reserved={"a": 1, "b": 3})
        [own, other] = (charge.parts["staffing"] for charge in found.charges)
        return own / (own + other)

    assert idle_of_a("used") == pytest.approx(Decimal("0.9"), abs=Decimal("0.001"))
    assert idle_of_a("reserved") == pytest.approx(Decimal("0.25"), abs=Decimal("0.001"))
    assert idle_of_a("even") == pytest.approx(Decimal("0.5"), abs=Decimal("0.001"))
    assert set(statement(report, uses, "used").charges[0].parts) == set(PARTS)


@pytest.mark.parametrize(
    ("uses", "rule", "said"),
    [
        ([], "used", "no team used the stack"),
        ([Use(team="x")], "reserved", "x: no reservation"),
        ([Use(team="a"), Use(team="a")], "used", "twice"),
    ],
)
def test_what_cannot_be_split_is_one_message(uses: list[Use], rule: Rule, said: str) -> None:
    with pytest.raises(ChargebackError, match=said):
        statement(report_of(), uses, rule, reserved=RESERVED)
