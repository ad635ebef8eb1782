"""The staircase that is drawn is the one by which the estimate looked for break-even."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from breakeven.cost.api_cost import api_curve
from breakeven.cost.break_even import find_break_even
from breakeven.cost.estimate import LARGEST_NODES
from breakeven.cost.report import Report
from breakeven.cost.several_models import high, low, planned
from breakeven.reports.plots.staircase import monthly_at
from tests.unit.reports.cases import report_of, reports


@settings(max_examples=20)
@given(reports())
def test_it_gives_the_break_even_of_the_report(report: Report) -> None:
    for row in report.break_even:
        for served, found in (
            (planned, row.loaded),
            (low, row.loaded_low),
            (high, row.loaded_high),
        ):
            staircase = report.staircase(served)
            curve = api_curve(row.api.price, report.assumptions)
            assert find_break_even(staircase, curve, LARGEST_NODES) == found


@settings(max_examples=20)
@given(reports())
def test_cost_never_falls_as_volume_grows_where_the_load_is_flat(report: Report) -> None:
    flat = len(set(report.assumptions.load.shape)) == 1
    volumes = np.linspace(0, 3 * report.assumptions.load.tokens_per_day, 200)
    monthly = monthly_at(report.staircase(planned), volumes)
    assert (monthly > 0).all()
    if flat:
        assert (np.diff(monthly) >= 0).all()


def test_at_the_planned_volume_it_has_the_total() -> None:
    report = report_of(100_000_000)
    [monthly] = monthly_at(report.staircase(planned), np.asarray([100_000_000.0]))
    assert monthly == pytest.approx(float(report.total))
