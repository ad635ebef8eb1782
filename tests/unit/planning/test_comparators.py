"""What may not decide is shown crossed out and decides nothing, in every form of the report."""

from __future__ import annotations

from datetime import date

import pytest

from breakeven.cost.recommendation import NoComparator
from breakeven.cost.report import Report
from breakeven.planning.offline import load_values
from breakeven.reports import tables
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.markdown import markdown
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 30)
RETIRED = "groq/llama-3.1-8b-instant"
GONE_TOO = "together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
SERVED = "novita/meta-llama/llama-3.1-8b-instruct"


def report(in_use: str, *hosted: str) -> Report:
    changed = {"api.inUse": in_use, "api.hosted": list(hosted)}
    return load_values("dev", with_settings(stack_values("dev"), changed), TODAY).report()


@pytest.fixture(scope="module")
def nothing_left() -> Report:
    return report(RETIRED, GONE_TOO)


@pytest.fixture(scope="module")
def one_left() -> Report:
    return report(RETIRED, GONE_TOO, SERVED)


def test_a_retired_api_in_use_decides_nothing(one_left: Report) -> None:
    assert not one_left.api.decides
    assert [row.api.price.reference for row in one_left.break_even] == [SERVED]
    assert {option.api for option in one_left.verdict.options if option.api} == {SERVED}
    assert one_left.verdict.choice == "hosted"


def test_without_an_api_that_may_decide_there_is_nothing_to_compare_with(
    nothing_left: Report,
) -> None:
    assert nothing_left.verdict.reasons == (NoComparator(),)
    assert nothing_left.hybrid is None
    assert "No comparison" in tables.options(nothing_left).answer


def test_what_does_not_decide_is_crossed_out_with_its_date(one_left: Report) -> None:
    struck = [row.cells[0] for row in tables.by_api(one_left).rows if row.weight == "struck"]
    assert struck == [
        f"{RETIRED} (retired 2026-08-16)",
        f"{GONE_TOO} (retired 2026-03-06)",
    ]
    assert tables.options(one_left).rows[0].weight == "struck"
    assert f"x    {RETIRED}" in render(one_left)
    assert f"~~{RETIRED} (retired 2026-08-16)~~" in markdown(one_left)


def test_the_json_says_what_decides_and_what_speaks_against_it(one_left: Report) -> None:
    output = as_output(one_left)
    api = output["api"]
    assert isinstance(api, dict)
    assert api["decides"] is False
    assert api["findings"][0].startswith("retired on 2026-08-16")


def test_an_api_in_use_that_serves_the_same_model_is_one_option() -> None:
    found = report(SERVED, SERVED, "openrouter/qwen/qwen3-30b-a3b")
    assert [cost.price.reference for cost in found.hosted] == ["openrouter/qwen/qwen3-30b-a3b"]
    assert [option.api for option in found.verdict.options].count(SERVED) <= 2  # stay, and hybrid
