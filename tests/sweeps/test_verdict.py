"""The recommended option changes only where two costs cross: every stack, 200 points an axis.

`make test-sweeps`; tests/unit/cost/test_verdict_sweep.py has a coarse one of two stacks.
"""

from __future__ import annotations

import pytest

from breakeven.settings.files import stack_names
from tests.sweeps.verdict_sweep import AXES, findings, sweep

POINTS = 200

MOST_NODES = 3.0
"""Prices of a node by which the recommended cost may rise from a point to the next: one node for
the load, and what the autoscaler's chance adds to it."""


@pytest.mark.parametrize("stack", stack_names())
def test_the_recommended_option_changes_only_where_two_costs_cross(stack: str) -> None:
    swept = sweep(stack, AXES, POINTS)
    for axis in AXES:
        for contested in (False, True):
            found = findings(swept.reports(axis.name, contested=contested))
            prices = "contested" if contested else "as shipped"
            print(f"{stack}, {axis.name}, {prices}: {found}")  # noqa: T201  # with -s, the figures
            assert found.points == POINTS
            assert not found.strays, (axis.name, contested, found)
            if not axis.is_objective:
                assert found.jump <= MOST_NODES, (axis.name, contested, found)
