"""A coarse sweep of the verdict; `make test-sweeps` has the fine one of every stack."""

from __future__ import annotations

import pytest

from tests.sweeps.verdict_sweep import AXES, findings, sweep

POINTS = 20


@pytest.mark.parametrize("stack", ["aws-prod", "on-prem"])
def test_the_recommended_option_changes_only_where_two_costs_cross(stack: str) -> None:
    swept = sweep(stack, AXES, POINTS)
    changes = 0
    for axis in AXES:
        found = findings(swept.reports(axis.name, contested=True))
        assert not found.strays, (axis.name, found)
        changes += len(found.changes)
    assert changes >= 3, "a sweep without a change shows nothing"
