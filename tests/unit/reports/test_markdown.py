"""The comment shows the report's figures, fits, and cannot be broken by what a stack names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.report import Report
from breakeven.reports.document.writing import as_output
from breakeven.reports.markdown import LARGEST_COMMENT, escaped, markdown
from tests.unit.cost.builders import api
from tests.unit.reports.cases import amounts, output_amounts, report_of, reports


@settings(max_examples=25)
@given(reports())
def test_it_has_the_amounts_of_the_json_form(report: Report) -> None:
    assert output_amounts(report) <= amounts(markdown(report))


def test_the_first_line_names_the_stack_invisibly() -> None:
    assert markdown(report_of()).splitlines()[0] == "<!-- breakeven: test -->"


def test_tables_have_as_many_cells_in_every_line() -> None:
    report = report_of(hosted=(api("host/a|b", "0.5"),))
    blocks = re.findall(r"(?:^\|.*\n)+", markdown(report), flags=re.MULTILINE)
    assert len(blocks) == 5
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_details_are_folded_and_closed() -> None:
    text = markdown(report_of())
    assert text.count("<details>") == text.count("</details>") == 4
    assert text.index("### Recommendation") < text.index("<details>")


@pytest.mark.parametrize("offers", [0, 100, 3000])
def test_it_fits_into_a_comment_and_says_what_it_leaves_out(offers: int) -> None:
    hosted = tuple(api(f"host{number}/{'x' * 60}", "0.5") for number in range(offers))
    text = markdown(report_of(hosted=hosted))
    assert len(text) <= LARGEST_COMMENT
    left_out = "see the HTML report for: Monthly cost of the same traffic with an API" in text
    assert left_out == (offers == 3000)
    assert "Monthly cost of self-hosting" in text


@given(st.text(alphabet="<>|*_`~[]\\{}", min_size=1))
def test_special_characters_are_all_escaped(text: str) -> None:
    assert re.fullmatch(r"(\\.)+", escaped(text), flags=re.DOTALL)
    assert re.sub(r"\\(.)", r"\1", escaped(text)) == text


def test_names_ping_nobody_and_bring_no_html() -> None:
    report = report_of(hosted=(api("cloudflare/@cf/<script>x</script>", "0.5"),))
    text = markdown(report)
    assert "@cf" not in text
    assert "<script>" not in re.sub(r"\\<", "", text)


def test_a_summary_line_shows_its_answer() -> None:
    report = report_of()
    bill = as_output(report)["selfHosted"]
    assert isinstance(bill, dict)
    total = f"${float(bill['total']):,.2f}"
    assert f"Monthly cost of self-hosting: {total}</summary>" in markdown(report)


def test_a_model_that_nobody_hosts_is_said() -> None:
    report = report_of(hosted=())
    assert "No hosted API for the same model is known" in markdown(report)
    assert "No hosted API for the same model is known" not in markdown(report_of())
