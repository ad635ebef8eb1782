"""An engineer's share is a share of a twelfth of the salary."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cost.people import People
from tests.unit.cost.strategies import money

_shares = st.decimals(Decimal(0), Decimal(10), places=2)


def people(salary: Decimal, share: Decimal) -> People:
    return People(
        engineer_salary=salary,
        engineer_share=share,
        on_call_per_month=Decimal(0),
        contingency_share=Decimal(0),
    )


@given(money("0", "1000000"), _shares)
def test_twelve_months_of_a_share_are_that_share_of_the_salary(
    salary: Decimal, share: Decimal
) -> None:
    yearly = people(salary, share).engineer() * 12
    assert yearly == pytest.approx(salary * share, rel=Decimal("1e-20"))


@given(money("0", "1000000"), _shares, _shares)
def test_shares_of_one_engineer_add_up(salary: Decimal, one: Decimal, other: Decimal) -> None:
    together = people(salary, one + other).engineer()
    apart = people(salary, one).engineer() + people(salary, other).engineer()
    assert together == pytest.approx(apart, rel=Decimal("1e-20"))
