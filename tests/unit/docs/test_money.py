"""The worked examples of docs/money.md are right, and of the stack that they name."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

import pytest

from breakeven.cost.bill.left_out import LeftOut
from breakeven.planning.offline import estimate_stack
from breakeven.reports.formatting import volume
from breakeven.reports.sentences.bill import _LEFT_OUT
from breakeven.settings.files import ROOT
from tests.each import each

TODAY = date(2026, 11, 30)

TEXT = (ROOT / "docs" / "money.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"Example, stack `(?P<stack>[\w-]+)`(?P<about>[^`]*)```text\n(?P<lines>.*?)```", re.DOTALL
)
LINES = [
    (found["stack"], line)
    for found in EXAMPLE.finditer(TEXT)
    for line in found["lines"].splitlines()
]
OPERATORS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value(node: ast.expr, source: str) -> Decimal:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value(node.left, source), value(node.right, source))
    return Decimal(ast.get_source_segment(source, node) or "")


def sides(line: str) -> tuple[str, str]:
    left, _, right = line.replace(",", "").replace("$", "").partition(" = ")
    return left.replace(" x ", " * "), right


@each("stack, line", LINES)
def test_the_sum_is_right_to_the_last_digit_shown(stack: str, line: str) -> None:  # noqa: ARG001
    left, right = sides(line)
    computed = value(ast.parse(left, mode="eval").body, left)
    # Factors are shown rounded, so the last digit may be one off.
    places = len(right.partition(".")[2])
    assert abs(computed - Decimal(right)) <= Decimal(1).scaleb(-places)


@pytest.mark.parametrize(
    ("stack", "line"), [(stack, line) for stack, line in LINES if " = $" in line]
)
def test_money_that_comes_out_is_in_the_stack_s_report(stack: str, line: str) -> None:
    table = (ROOT / "tests" / "golden" / "tables" / f"{stack}.txt").read_text(encoding="utf-8")
    amount = line.partition(" = ")[2]
    intermediate = {"$0.0004751", "$30,369.60"}  # no line of the table
    assert amount in table or amount in intermediate


def test_the_break_even_of_the_example_is_that_of_the_stack() -> None:
    [found] = re.finditer(
        r"stack `(?P<stack>[\w-]+)`: at (?P<volume>[\d.]+ [mb]illion) tokens per day the API",
        TEXT,
    )
    report = estimate_stack(found["stack"], TODAY)
    [against] = [row for row in report.break_even if row.api is report.api]
    assert volume(against.loaded.first_volume or 0) == found["volume"]
    number, unit = found["volume"].split()
    millions = f"{Decimal(number) * {'million': 1, 'billion': 1000}[unit]:,.0f}"
    assert (found["stack"], millions) in [(stack, line.split(" x ")[0]) for stack, line in LINES]


def test_what_bills_name_as_not_counted_is_in_the_last_section() -> None:
    listed = TEXT.partition("## What is left out")[2]
    assert set(_LEFT_OUT) == set(LeftOut)
    assert [phrase for phrase in _LEFT_OUT.values() if f"- {phrase}" not in listed] == []


def test_every_section_with_a_formula_has_an_example() -> None:
    for section in TEXT.split("\n## ")[1:]:
        title = section.splitlines()[0]
        if title[0] in "234567":
            assert "Example, stack" in section, title
