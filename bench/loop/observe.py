"""Sends a load to a stack in the rig, step by step, and adds up what is paid meanwhile."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.loop.case import Clock, Trial, requests
from bench.loop.cluster import (
    DOWN_WITHIN_SECONDS,
    NAMESPACE,
    compress,
    deployed,
    load_seconds,
    node_types,
    removed,
    wanted_replicas,
)
from bench.loop.paid import Paid, simulated
from bench.loop.vllm_standin import (
    VllmStandin,
    arrivals_within,
    kubelet_stages,
    restore,
    target_file,
)
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from rig.cluster import Rig


@dataclass(frozen=True)
class Outcome:
    """Both sides of a comparison.

    Attributes:
        real: What happened.
        simulated: What the simulation says.
        down_seconds: From the last request until only the fewest nodes are left.
        late_share: Steps that ended late by one or more.
        unserved: Requests that were cut.
        start_seconds: Real seconds that a replica took to start, in the median.
    """

    real: Paid
    simulated: Paid
    down_seconds: float
    late_share: float
    unserved: int
    start_seconds: float

    @property
    def difference(self) -> float:
        """Node-hours that the simulation says, over those that were paid, less 1."""
        return self.simulated.nodes / self.real.nodes - 1


def run(rig: Rig, folder: Path, trial: Trial, say: Callable[[str], None]) -> Outcome:
    """Deploy, load, compare and remove, on a rig with the tuning of `tuning_of`."""
    project = deployed(rig, folder, trial.case)
    outcome = _observe(rig, trial, say)
    removed(rig, project, trial.case)
    return outcome


def _observe(rig: Rig, trial: Trial, say: Callable[[str], None]) -> Outcome:
    clock, seed = trial.clock, trial.load.seed
    settings, configuration = trial.case.settings()
    arrivals = requests(configuration, clock, trial.load)
    standin = VllmStandin(rig.api, NAMESPACE, settings.model.facts.name, configuration, seed)
    (rig.folder.targets / "closed-loop.json").write_text(target_file(standin.address))
    stages = kubelet_stages(rig.api, round(clock.real(load_seconds(configuration)) * 1000))
    random, paid, late = np.random.default_rng(seed), Paid(), 0
    try:
        compress(rig.api, configuration, clock)
        # A deployment begins with a replica, also where there may be none.
        settled, _ = _until_small(rig, configuration, clock, standin, 0)
        began = before = time.monotonic()
        for number, count in enumerate(arrivals.tolist(), settled):
            standin.step((number + 1) * STEP_SECONDS, arrivals_within(count, number, random))
            due = began + (number + 1 - settled) * clock.step_seconds
            late += time.monotonic() > due + clock.step_seconds
            time.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            steps, before = (now - before) / clock.step_seconds, now
            types, wanted = node_types(rig.api), wanted_replicas(rig.api)
            paid.add(steps, types, wanted, standin.ready)
            hour, within = divmod(number - settled, clock.hour_steps)
            if not within:
                say(f"hour {hour:3}: {wanted} replicas, {standin.ready} ready, {len(types)} nodes")
        last = settled + len(arrivals)
        _, down = _until_small(rig, configuration, clock, standin, last)
        return Outcome(
            real=paid,
            simulated=simulated(configuration, clock, arrivals),
            down_seconds=down,
            late_share=late / len(arrivals),
            unserved=standin.unserved,
            # The first was there before.
            start_seconds=statistics.median(standin.starts[1:]),
        )
    finally:
        restore(rig.api, stages)
        standin.close()


def _until_small(
    rig: Rig, configuration: FleetConfiguration, clock: Clock, standin: VllmStandin, number: int
) -> tuple[int, float]:
    """Go on without requests until the fewest nodes are left.

    Returns:
        The number of the next step, and the seconds that it took.

    Raises:
        TimeoutError: Nodes stay.
    """
    ended = time.monotonic()
    while len(node_types(rig.api)) > configuration.fleet.lowest_nodes:
        if time.monotonic() > ended + DOWN_WITHIN_SECONDS:
            msg = f"nodes are left after {DOWN_WITHIN_SECONDS:.0f} s: {node_types(rig.api)}"
            raise TimeoutError(msg)
        number += 1
        standin.step(number * STEP_SECONDS, np.zeros(0))
        time.sleep(clock.step_seconds)
    return number, time.monotonic() - ended
