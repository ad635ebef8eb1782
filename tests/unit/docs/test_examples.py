"""The pages of docs/examples show the table of their stack, and say nothing that it does not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from breakeven.planning.offline import estimate_stack
from breakeven.reports.tables import options
from breakeven.settings.files import ROOT, stack_names
from tests.each import each
from tests.golden.pages import SHOWN, TABLES, documents, with_tables

PAGES = ROOT / "docs" / "examples"
EXAMPLES = sorted(
    page.stem for page in PAGES.glob("*.md") if page.stem not in {"index", "two-teams", "clusters"}
)
SECTIONS = ["Monthly cost of self-hosting", "Recommendation", "What would lower the bill"]
FIGURE = r"\$[\d,]+\.\d+|\b\d+(?:\.\d+)?%|\b[\d.]+ times"


def argument_of(stack: str) -> str:
    return (PAGES / f"{stack}.md").read_text(encoding="utf-8").partition("<!--")[0]


def test_there_are_five_and_each_is_a_stack() -> None:
    assert len(EXAMPLES) == 5
    assert set(EXAMPLES) <= set(stack_names())
    assert "".join(argument_of("index")).count(".md)") == 7


@each("document", documents())
def test_tables_in_documents_are_the_golden_ones(document: object) -> None:
    text = document.read_text(encoding="utf-8")  # type: ignore[attr-defined]  # a path
    assert with_tables(text) == text, "type: make golden"


@pytest.mark.parametrize("stack", EXAMPLES)
def test_the_verdict_is_what_the_estimate_recommends(stack: str) -> None:
    report = estimate_stack(stack, datetime.now(tz=UTC).date())
    [chosen] = [row.cells[0] for row in options(report).rows if row.weight == "chosen"]
    verdict = f"Verdict: {chosen}.**"
    assert verdict in argument_of(stack)
    assert f"| `{stack}` | {chosen} |" in (PAGES / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("stack", EXAMPLES)
def test_the_page_shows_the_tables_that_it_argues_with(stack: str) -> None:
    text = (PAGES / f"{stack}.md").read_text(encoding="utf-8")
    shown = [(found["stack"], found["section"]) for found in SHOWN.finditer(text)]
    assert shown == [(stack, section) for section in SECTIONS]


@pytest.mark.parametrize("stack", EXAMPLES)
def test_figures_of_the_argument_are_in_the_table_or_follow_from_two_of_it(stack: str) -> None:
    table = " ".join((TABLES / f"{stack}.txt").read_text(encoding="utf-8").split())
    amounts = {
        Decimal(text.replace(",", "")) for text in re.findall(r"\$([\d,]+(?:\.\d+)?)", table)
    }
    follow = {abs(a - b) for a in amounts for b in amounts} | {
        a + b for a in amounts for b in amounts
    }
    for figure in re.findall(FIGURE, argument_of(stack)):
        plain = figure.replace(" times", "x")
        if plain in table or figure in table:
            continue
        assert figure.startswith("$"), f"{stack}: {figure}"
        assert Decimal(figure[1:].replace(",", "")) in follow, f"{stack}: {figure}"
