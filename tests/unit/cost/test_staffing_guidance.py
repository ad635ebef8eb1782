"""The stated share of an engineer is compared with the fleet that somebody has to run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.staffing_guidance import staffing_guidance
from tests.unit.cost.builders import assumptions, owned_node


def test_a_fifth_of_an_engineer_for_82_nodes_is_below_and_for_one_node_is_not() -> None:
    stack = assumptions()
    stack = replace(stack, staffing=replace(stack.staffing, engineer_share=Decimal("0.2")))
    large = staffing_guidance(stack, 82)
    assert (large.low, large.high, large.outside) == (Decimal("0.46"), Decimal("1.84"), "below")
    assert staffing_guidance(stack, 1).outside is None
    whole = replace(stack, staffing=replace(stack.staffing, engineer_share=Decimal(1)))
    assert staffing_guidance(whole, 1).outside == "above"


def test_owned_nodes_and_further_models_take_more() -> None:
    rented = staffing_guidance(assumptions(), 10)
    owned = staffing_guidance(assumptions(node=owned_node()), 10)
    assert owned.low - rented.low == Decimal("0.03")
    assert owned.high - rented.high == Decimal("0.10")
    several = staffing_guidance(assumptions(others=(assumptions(),)), 10)
    assert several.models == 2
    assert several.low > rented.low


@given(st.integers(0, 500), st.integers(0, 500))
def test_more_nodes_never_take_less(nodes: int, more: int) -> None:
    one, other = (staffing_guidance(assumptions(), n) for n in (nodes, nodes + more))
    assert one.low <= other.low <= other.high
    assert one.high <= other.high
