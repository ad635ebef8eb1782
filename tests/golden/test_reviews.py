"""The review of two stacks, as the body of a pull request that a person can read.

`make golden` regenerates them.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.planning.offline import load_stack, load_values
from breakeven.reports.diff.changes import compare
from breakeven.reports.document.reading import figures_of
from breakeven.reports.document.writing import as_output
from breakeven.reports.review import Review, Step, review_markdown
from breakeven.settings.files import stack_values, with_settings
from tests.golden.one_file import MarkdownFile
from tests.golden.test_golden import TODAY

pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")

LAST_MONTH = {"aws-prod": 400_000_000, "on-prem": 20_000_000}
"""Tokens a day that the last review planned with."""


@pytest.mark.parametrize("stack", LAST_MONTH)
def test_reviews(stack: str, snapshot: SnapshotAssertion) -> None:
    report = load_stack(stack, TODAY).report_with_levers()
    values = with_settings(stack_values(stack), {"traffic.tokensPerDay": LAST_MONTH[stack]})
    before = figures_of(as_output(load_values(stack, values, TODAY).report()))
    now = figures_of(as_output(report))
    body = review_markdown(
        Review(
            report=report,
            comparison=compare(before, now, ("the review of October", f"stack {stack}")),
            steps=(Step("Prices", "refreshed", "0 new, 2 changed, 0 gone; 9 with a newer day"),),
            written=("stacks/prices/", f"stacks/reviews/{stack}.json"),
        )
    )
    assert body == snapshot(extension_class=MarkdownFile, name=stack)
