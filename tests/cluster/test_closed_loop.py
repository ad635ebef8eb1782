"""The real autoscalers pay about what the simulation of the preview says, and go down again."""

from __future__ import annotations

import os
from pathlib import Path

from bench.loop.case import ONE_AT_LEAST, TO_ZERO, Case, Clock, Load, Trial
from bench.loop.cluster import tuning_of
from bench.loop.observe import Outcome, run
from bootstrap import cluster as built
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from rig.cluster import Rig

# A short load on a machine that does other things meanwhile; the bench's own limit is 10%.
LARGEST_DIFFERENCE = 0.3


def outcome_of(case: Case, load: Load, folder: Path) -> Outcome:
    clock = Clock(step_seconds=1.0, hour_steps=20)
    _, configuration = case.settings()
    programs, definitions = built.find(Layout.of(ROOT, os.environ))
    rig = Rig.start(folder / "rig", programs, definitions, tuning=tuning_of(configuration, clock))
    try:
        outcome = run(rig, folder, Trial(case, clock, load), print)
        rig.check()
    finally:
        rig.stop()
    assert outcome.real.peak > 2, "the load made no replicas"
    assert outcome.real.types.keys() <= {"g6e.xlarge", "ordered"}, "another machine than planned"
    assert outcome.unserved == 0, "requests were cut"
    return outcome


def test_what_a_load_really_costs_is_near_what_the_preview_simulates(tmp_path: Path) -> None:
    outcome = outcome_of(ONE_AT_LEAST, Load(hours=6), tmp_path)
    assert abs(outcome.difference) <= LARGEST_DIFFERENCE


def test_a_hybrid_stack_goes_down_to_no_node_in_hours_without_a_request_and_comes_back(
    tmp_path: Path,
) -> None:
    outcome = outcome_of(TO_ZERO, Load(hours=6, days=2, idle_hours=2), tmp_path)
    assert outcome.real.least == outcome.simulated.least == 0
    assert abs(outcome.difference) <= LARGEST_DIFFERENCE
