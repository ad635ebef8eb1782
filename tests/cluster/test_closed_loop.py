"""The real autoscalers pay about what the simulation of the preview says, and go down again."""

from __future__ import annotations

import os
from pathlib import Path

from bootstrap import cluster as built
from bootstrap.layout import Layout
from rig.cluster import Rig

from bench.closed_loop import Clock, Load, run, stack_settings, tuning_of
from components.project import ROOT

# A short load on a machine that does other things meanwhile; the bench's own limit is 10%.
LARGEST_DIFFERENCE = 0.3


def test_what_a_load_really_costs_is_near_what_the_preview_simulates(tmp_path: Path) -> None:
    clock = Clock(step_seconds=1.0, hour_steps=20)
    _, configuration = stack_settings()
    programs, definitions = built.find(Layout.of(ROOT, os.environ))
    rig = Rig.start(tmp_path / "rig", programs, definitions, tuning=tuning_of(configuration, clock))
    try:
        outcome = run(rig, tmp_path, clock, Load(hours=6))
        rig.check()
    finally:
        rig.stop()
    assert outcome.real.peak > 2, "the load made no replicas"
    assert outcome.real.types.keys() <= {"g6e.xlarge", "ordered"}, "another machine than planned"
    assert outcome.unserved == 0, "requests were cut"
    assert abs(outcome.difference) <= LARGEST_DIFFERENCE
