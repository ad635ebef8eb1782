"""A comparison adds up, says what is new and gone, and is empty where nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from breakeven.cost.recommendation import Option
from breakeven.cost.report import Report
from breakeven.reports.diff.changes import Change, Comparison, compare
from breakeven.reports.diff.text import diff_markdown, diff_text
from breakeven.reports.document.reading import Figures, NotAReportError, figures_of
from breakeven.reports.document.writing import as_output
from breakeven.reports.text import WIDTH
from breakeven.type_tokens import ESTIMATE
from tests.unit.cost.builders import api, assumptions, node
from tests.unit.reports.cases import amounts, report_of, reports


def compared(before: Report, after: Report) -> Comparison:
    return compare(
        figures_of(as_output(before)), figures_of(as_output(after)), ("main", "stack test")
    )


@settings(max_examples=20)
@given(reports(), reports())
def test_the_differences_of_the_lines_sum_to_that_of_the_total(one: Report, other: Report) -> None:
    comparison = compared(one, other)
    total = next(change for change in comparison.totals if change.name == "Total")
    parts = sum((change.difference for change in comparison.lines), Decimal(0))
    # Each amount is rounded to a cent on its own.
    assert parts == total.difference


@settings(max_examples=20)
@given(reports())
def test_a_report_compared_with_itself_changes_nothing(report: Report) -> None:
    comparison = compared(report, report)
    changes = (*comparison.lines, *comparison.totals, *comparison.apis)
    assert {change.sign for change in changes} == {" "}
    assert not comparison.advice_changed
    assert "nothing" in diff_text(comparison)


@settings(max_examples=20)
@given(reports(), reports())
def test_swapping_the_two_turns_every_sign(one: Report, other: Report) -> None:
    there, back = compared(one, other), compared(other, one)
    turned = {"+": "-", "-": "+", "~": "~", " ": " "}
    assert {change.name: turned[change.sign] for change in there.lines} == {
        change.name: change.sign for change in back.lines
    }
    assert {change.name: -change.difference for change in there.lines} == {
        change.name: change.difference for change in back.lines
    }


def test_a_line_whose_share_changes_is_the_same_line() -> None:
    comparison = compared(report_of(10_000_000), report_of(60_000_000))
    changes = {change.name: change.sign for change in comparison.lines}
    assert changes["GPU nodes, busy"] == "~"
    assert changes["Senior engineer"] == " "


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ("GPU nodes, busy 44%", "GPU nodes, busy"),
        ("GPU nodes, busy 9%: amortisation", "GPU nodes, busy: amortisation"),
        ("Monitoring, 2 x m6i.large", "Monitoring, m6i.large"),
        ("Volume model-weights (gp3)", "Volume model-weights (gp3)"),
        ("On-call", "On-call"),
    ],
)
def test_shares_and_counts_are_no_part_of_a_lines_name(item: str, name: str) -> None:
    output: dict[str, Any] = as_output(report_of())
    output["selfHosted"]["lines"] = [{"item": item, "monthly": "1.00"}]
    assert set(figures_of(output).lines) == {name}


def test_lines_of_one_name_are_added() -> None:
    output: dict[str, Any] = as_output(report_of())
    output["selfHosted"]["lines"] = [{"item": "Load balancer", "monthly": "16.43"}] * 2
    assert figures_of(output).lines["Load balancer"] == Decimal("32.86")


@pytest.mark.parametrize(
    ("before", "after", "sign", "difference", "percent"),
    [
        (None, "5", "+", "5", None),
        ("5", None, "-", "-5", "-100"),
        ("4", "5", "~", "1", "25"),
        ("5", "5", " ", "0", "0"),
        ("0", "5", "~", "5", None),
    ],
)
def test_a_change_has_sign_difference_and_percent(
    before: str | None, after: str | None, sign: str, difference: str, percent: str | None
) -> None:
    change = Change("a", before and Decimal(before), after and Decimal(after))  # type: ignore[arg-type]
    assert change.sign == sign
    assert change.difference == Decimal(difference)
    assert change.percent == (None if percent is None else Decimal(percent))


def test_a_changed_recommendation_is_first_in_markdown_and_last_in_text() -> None:
    dear, cheap = report_of(node=node("90")), report_of(node=node("0.01"), hosted=())
    own = Option("self-host", cheap.total, cheap.total)
    comparison = compared(dear, replace(cheap, verdict=replace(cheap.verdict, chosen=own)))
    said = "The recommendation changes from"
    assert comparison.advice_changed
    assert said in diff_markdown(comparison).split("###")[0]
    assert said in diff_text(comparison).splitlines()[-2] + diff_text(comparison).splitlines()[-1]


@settings(max_examples=20)
@given(reports(), reports())
def test_all_formats_have_the_same_amounts(one: Report, other: Report) -> None:
    comparison = compared(one, other)
    output: dict[str, Any] = comparison.as_output()
    rows = [*output["lines"], *output["totals"], *output["apis"]]
    expected = {
        abs(Decimal(row[key]))
        for row in rows
        for key in ("before", "after", "difference")
        if row["change"] != "unchanged" and row[key] is not None
    }
    for text in (diff_text(comparison), diff_markdown(comparison)):
        assert expected <= amounts(text)


@settings(max_examples=20)
@given(reports(), reports())
def test_text_fits_the_width_of_the_report(one: Report, other: Report) -> None:
    assert max(map(len, diff_text(compared(one, other)).splitlines())) <= WIDTH


def test_names_are_taken_literally_in_text() -> None:
    report = report_of(hosted=(api("host/[bold]x[/bold]", "0.5"),))
    assert "host/[bold]x[/bold]" in diff_text(compared(report_of(hosted=()), report))


def test_figures_survive_the_way_through_a_file_and_a_state() -> None:
    output = as_output(report_of())
    state = {
        "version": 3,
        "deployment": {"resources": [{"type": "a:b:C"}, {"type": ESTIMATE, "inputs": output}]},
    }
    figures = figures_of(output)
    assert figures_of(json.loads(json.dumps(output))) == figures
    assert figures_of(json.loads(json.dumps(state))) == figures


def test_a_state_without_an_estimate_is_reported() -> None:
    with pytest.raises(NotAReportError, match="nothing is deployed"):
        figures_of({"deployment": {"resources": []}})
    with pytest.raises(NotAReportError, match="nothing is deployed"):
        figures_of({"deployment": {"resources": 5}})
    with pytest.raises(NotAReportError, match="nothing is deployed"):
        figures_of({"deployment": {}})


def without(output: dict[str, Any]) -> None:
    del output["selfHosted"]["total"]


def number(output: dict[str, Any]) -> None:
    output["selfHosted"]["total"] = 12.5


def not_finite(output: dict[str, Any]) -> None:
    output["selfHosted"]["contingency"] = "NaN"


def no_list(output: dict[str, Any]) -> None:
    output["hosted"] = {}


def no_object(output: dict[str, Any]) -> None:
    output["selfHosted"]["lines"] = ["a"]


def no_tokens(output: dict[str, Any]) -> None:
    output["breakEven"][0]["tokensPerDay"] = True


def endless_tokens(output: dict[str, Any]) -> None:
    output["breakEven"][0]["tokensPerDay"] = float("inf")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without, "total is missing"),
        (number, "total is 12.5; allowed: a number as a text"),
        (not_finite, 'contingency is "NaN"'),
        (no_list, "hosted is an object"),
        (no_object, r'selfHosted\.lines\[0\] is "a"'),
        (no_tokens, "tokensPerDay is true; allowed: a whole number"),
        (endless_tokens, "tokensPerDay is inf; allowed: a whole number"),
    ],
)
def test_a_file_that_is_not_a_report_is_rejected_by_key(
    spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    output = json.loads(json.dumps(as_output(report_of())))
    spoil(output)
    with pytest.raises(NotAReportError, match=message):
        figures_of(output)


@pytest.mark.parametrize("data", [None, 3, [], "text", {}])
def test_other_data_is_no_report(data: object) -> None:
    with pytest.raises(NotAReportError):
        figures_of(data)


def test_apis_that_only_one_compares_with_are_new_or_gone_but_have_no_break_even_before() -> None:
    before, after = report_of(), report_of(hosted=(api("new/host", "0.4"),))
    comparison = compared(before, after)
    assert {change.name: change.sign for change in comparison.apis} == {
        "test/api": " ",
        "new/host": "+",
        "test/hosted": "-",
    }
    assert set(comparison.break_even) == {"test/api"}


def test_contingency_is_a_line_only_where_there_is_one() -> None:
    people = replace(assumptions().staffing, contingency_share=Decimal("0.1"))
    figures: Figures = figures_of(as_output(report_of(staffing=people)))
    assert figures.lines["Contingency"] > 0
    assert "Contingency" not in figures_of(as_output(report_of())).lines
