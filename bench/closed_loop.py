"""Runs a stack under a day of load in the real loop, and compares what it cost with the preview.

API server, scheduler, HorizontalPodAutoscaler, KEDA, Karpenter and Prometheus are the real ones of
the rig; machines are simulated, and vLLM by bench/vllm_standin.py. The clock is compressed: a step
of the simulation, 15 seconds, lasts --step-seconds, and every time setting is scaled alike; what
cannot be scaled (Karpenter's own waits) the simulation is told. docs/closed-loop.md says more.
Exits with 1 where node-hours differ by more than 10%. Run from the root: make bench-loop
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bootstrap import cluster as built
from bootstrap.layout import Layout
from numpy.typing import NDArray
from rig.api import Api
from rig.cluster import Rig
from rig.settings import Tuning

from bench.vllm_standin import VllmStandin, arrivals_within, kubelet_stages, restore, target_file
from components.cost.load import published_shape
from components.cost.week.arithmetic import ONE
from components.cost.week.autoscaler import REMOVAL_SECONDS
from components.cost.week.configuration import Configuration
from components.cost.week.demand import STEP_SECONDS, STEPS_PER_HOUR, draw
from components.cost.week.parameters import parameters_of
from components.cost.week.run import Run
from components.costing import assumptions_of
from components.fleet import configuration_of
from components.project import stack_values
from components.settings import parse
from components.settings_types import Settings
from tests.project_copy import Project, copy_project

ROOT = Path(__file__).resolve().parents[1]
STACK = "aws-prod"
OVERRIDES = {"minReplicas": "1"}
HOURS = 24
LARGEST_DIFFERENCE = 0.10

KARPENTER_REMOVAL_SECONDS = 10 / 2 + 15
"""From a node that may go to its removal, whatever is set: Karpenter 1.13 looks every 10 seconds
(pollingPeriod) and again 15 seconds later (commandValidationDelay)."""

_NAMESPACE = "llm"
_DOWN_WITHIN_SECONDS = 180.0


@dataclass(frozen=True)
class Clock:
    """How long a step of the simulation lasts here.

    Attributes:
        step_seconds: Real seconds of one step.
        hour_steps: Steps in which an hour's load passes; less than 240 makes the load change
            faster than it does, for settings that stay as they are.
    """

    step_seconds: float
    hour_steps: int

    def real(self, seconds: float) -> float:
        """Real seconds for seconds of the simulation."""
        return seconds / STEP_SECONDS * self.step_seconds

    def whole(self, seconds: float) -> int:
        """The same for settings in whole seconds, at least one."""
        return max(1, round(self.real(seconds)))


@dataclass(frozen=True)
class Load:
    """The requests of a day.

    Attributes:
        hours: Of the day, evenly taken; a divisor of 24.
        peak_replicas: What the busiest hour asks for in the mean.
        seed: Of the draws.
        burst_factor: Peak minute of an hour over its mean.
    """

    hours: int = HOURS
    peak_replicas: float = 4.0
    seed: int = 0
    burst_factor: float = 1.8


@dataclass
class Paid:
    """Sums over time.

    Attributes:
        nodes: Node-steps.
        replicas: Replica-steps, as the autoscaler wanted them.
        ready: Replica-steps that answered.
        peak: Most replicas.
        types: Node-steps by machine type.
    """

    nodes: float = 0.0
    replicas: float = 0.0
    ready: float = 0.0
    peak: int = 0
    types: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, steps: float, types: list[str], replicas: int, ready: int) -> None:
        """Add some steps."""
        self.nodes += steps * len(types)
        self.replicas += steps * replicas
        self.ready += steps * ready
        self.peak = max(self.peak, replicas)
        for each in types:
            self.types[each] += steps


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


def stack_settings() -> tuple[Settings, Configuration]:
    """The stack with the replicas of the bench, and what the preview would simulate for it."""
    settings, reader = parse({**stack_values(STACK), **OVERRIDES, "priceMaxAgeDays": "36500"})
    assumed = assumptions_of(STACK, settings, reader, datetime.now(tz=UTC).date())
    return settings, configuration_of(settings, assumed.load, assumed.capacity, 0.0)


def day(configuration: Configuration, clock: Clock, load: Load) -> NDArray[np.float64]:
    """Draw the requests of each step, from the quietest hour on.

    The draws are those of the preview; several of its steps are put into one.
    """
    shape = np.asarray(published_shape()[0][:HOURS])
    shape = np.roll(shape, -int(shape.argmin()))[:: HOURS // load.hours]
    group = STEPS_PER_HOUR // clock.hour_steps
    service = configuration.service
    target = min(configuration.target_requests, service.slots)
    most = load.peak_replicas * target / service.seconds(target)
    arrivals = draw(shape / shape.max() * most / group, load.burst_factor, load.seed).arrivals
    return np.asarray(arrivals.reshape(-1, group).sum(axis=1))


def simulated(configuration: Configuration, clock: Clock, arrivals: NDArray[np.float64]) -> Paid:
    """What the preview's simulation says, for nodes that go as late as Karpenter lets them."""
    removal = round(KARPENTER_REMOVAL_SECONDS / clock.step_seconds)
    parameters = replace(parameters_of(configuration), consolidate_steps=removal)
    random = np.random.default_rng(0)
    run, paid = Run(parameters, ONE, float(arrivals[0]) / STEP_SECONDS), Paid()
    for count in arrivals.tolist():
        replicas, ready, nodes, *_ = run.step(
            count, random.standard_normal(), random.random(), random.random()
        )
        paid.add(1.0, [""] * int(nodes), int(replicas), int(ready))
    return paid


def tuning_of(configuration: Configuration, clock: Clock) -> Tuning:
    """The rig's clocks, compressed."""
    return Tuning(
        scrape_seconds=1,
        scaling_seconds=clock.whole(STEP_SECONDS),
        node_registration=f"{clock.real(configuration.node_start_seconds):.1f}s",
        batch_idle="100ms",
        batch_longest="1s",
    )


def compress(api: Api, configuration: Configuration, clock: Clock) -> None:
    """Scale the time settings of the objects that the stack made."""
    policy = {"type": "Percent", "value": 100}
    removal = {"type": "Pods", "value": 1, "periodSeconds": clock.whole(REMOVAL_SECONDS)}
    behaviour = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [{**policy, "periodSeconds": clock.whole(configuration.growth_seconds)}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": clock.whole(configuration.fleet.scale_down_seconds),
            "policies": [removal],
        },
    }
    api.merge(
        f"/apis/keda.sh/v1alpha1/namespaces/{_NAMESPACE}/scaledobjects/model",
        {
            "spec": {
                "pollingInterval": clock.whole(STEP_SECONDS),
                "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behaviour}},
            }
        },
    )
    # One node at a time, every 25 seconds, would be minutes of this clock: see docs/closed-loop.md.
    disruption = {"consolidateAfter": "0s", "budgets": [{"nodes": "100%"}]}
    for pool in api.items("/apis/karpenter.sh/v1/nodepools"):
        name = pool["metadata"]["name"]
        api.merge(f"/apis/karpenter.sh/v1/nodepools/{name}", {"spec": {"disruption": disruption}})


def node_types(api: Api) -> list[str]:
    """The machine types of all nodes that are paid: from their order until they are gone."""
    label = "node.kubernetes.io/instance-type"
    return [
        claim["metadata"]["labels"].get(label, "ordered")
        for claim in api.items("/apis/karpenter.sh/v1/nodeclaims")
    ]


def wanted_replicas(api: Api) -> int:
    """The replicas that the autoscaler wants."""
    path = f"/apis/apps/v1/namespaces/{_NAMESPACE}/deployments/model"
    return int(api.get(path)["spec"]["replicas"])


def observe(
    rig: Rig, configuration: Configuration, clock: Clock, arrivals: NDArray[np.float64], seed: int
) -> Outcome:
    """Send the requests of a day to a stack that is deployed, and watch until it is small again.

    Returns:
        What happened, beside what the simulation says.
    """
    settings, _ = stack_settings()
    name = settings.model.facts.name
    standin = VllmStandin(rig.api, _NAMESPACE, name, configuration, seed)
    (rig.folder.targets / "closed-loop.json").write_text(target_file(standin.address))
    stages = kubelet_stages(rig.api, round(clock.real(load_seconds(configuration)) * 1000))
    random, paid, late = np.random.default_rng(seed), Paid(), 0
    try:
        compress(rig.api, configuration, clock)
        began = before = time.monotonic()
        for number, count in enumerate(arrivals.tolist()):
            standin.step((number + 1) * STEP_SECONDS, arrivals_within(count, number, random))
            due = began + (number + 1) * clock.step_seconds
            late += time.monotonic() > due + clock.step_seconds
            time.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            steps, before = (now - before) / clock.step_seconds, now
            paid.add(steps, node_types(rig.api), wanted_replicas(rig.api), standin.ready)
            if number % clock.hour_steps == 0:
                print(
                    f"hour {number // clock.hour_steps:2}: {wanted_replicas(rig.api)} replicas, "
                    f"{standin.ready} ready, {len(node_types(rig.api))} nodes",
                    flush=True,
                )
        ended, number = time.monotonic(), len(arrivals)
        while len(node_types(rig.api)) > configuration.fleet.lowest_nodes:
            if time.monotonic() > ended + _DOWN_WITHIN_SECONDS:
                msg = f"nodes are left after {_DOWN_WITHIN_SECONDS:.0f} s: {node_types(rig.api)}"
                raise TimeoutError(msg)
            number += 1
            standin.step(number * STEP_SECONDS, np.zeros(0))
            time.sleep(clock.step_seconds)
        return Outcome(
            real=paid,
            simulated=simulated(configuration, clock, arrivals),
            down_seconds=time.monotonic() - ended,
            late_share=late / len(arrivals),
            unserved=standin.unserved,
            # The first was there before.
            start_seconds=statistics.median(standin.starts[1:]),
        )
    finally:
        restore(rig.api, stages)
        standin.close()


def load_seconds(configuration: Configuration) -> float:
    """What a replica takes on a node that is there."""
    return configuration.fleet.start_seconds - configuration.node_start_seconds


def deployed(rig: Rig, folder: Path) -> Project:
    """Deploy the stack to the rig by Pulumi."""
    copied = copy_project(folder)
    environment = {**copied.environment, "KUBECONFIG": str(rig.kubeconfig)}
    project = replace(copied, environment=environment)
    project.set(STACK, **{key: int(value) for key, value in OVERRIDES.items()})
    _pulumi(project, "stack", "init", STACK)
    _pulumi(project, "up", "--stack", STACK, "--yes", "--skip-preview")
    return project


def removed(rig: Rig, project: Project) -> None:
    """Remove the stack, and wait until its last node is gone.

    Raises:
        TimeoutError: A node stays.
    """
    _pulumi(project, "destroy", "--stack", STACK, "--yes", "--skip-preview")
    patience = time.monotonic() + _DOWN_WITHIN_SECONDS
    while node_types(rig.api):
        if time.monotonic() > patience:
            msg = f"nodes are left after destroy: {node_types(rig.api)}"
            raise TimeoutError(msg)
        time.sleep(1)


def run(rig: Rig, folder: Path, clock: Clock, load: Load) -> Outcome:
    """Deploy, load, compare and remove, on a rig with the tuning of `tuning_of`."""
    _, configuration = stack_settings()
    arrivals = day(configuration, clock, load)
    project = deployed(rig, folder)
    outcome = observe(rig, configuration, clock, arrivals, load.seed)
    removed(rig, project)
    return outcome


def report(outcome: Outcome, clock: Clock, hours: int) -> None:
    """Print both sides and their difference."""
    # Hours of the compressed day, whose hour has hour_steps.
    print(f"\n{'':26} {'happened':>10} {'simulated':>10} {'differ':>8}")
    for name in ("nodes", "replicas", "ready"):
        was, said = (
            getattr(each, name) / clock.hour_steps for each in (outcome.real, outcome.simulated)
        )
        label = {"nodes": "node", "replicas": "replica", "ready": "ready replica"}[name]
        print(f"{label + '-hours':26} {was:10.1f} {said:10.1f} {said / was - 1:+8.1%}")
    print(f"{'most replicas':26} {outcome.real.peak:10} {outcome.simulated.peak:10}")
    mix = {key: steps / clock.hour_steps for key, steps in sorted(outcome.real.types.items())}
    print("node-hours by machine: " + ", ".join(f"{key} {each:.1f}" for key, each in mix.items()))
    print(
        f"a replica starts in {outcome.start_seconds:.1f} s\n"
        f"down to the fewest nodes {outcome.down_seconds:.0f} s after the last request; none left "
        f"after destroy\nrequests cut {outcome.unserved}; steps late by one or more "
        f"{outcome.late_share:.1%}; load of the machine {os.getloadavg()[1]:.1f} on "
        f"{os.cpu_count()} cores; {hours} hours of {clock.hour_steps} steps of "
        f"{clock.step_seconds:g} s"
    )


def _pulumi(project: Project, *arguments: str) -> None:
    result = project.pulumi(*arguments)
    if result.returncode:
        raise RuntimeError(result.stdout[-4000:] + result.stderr[-2000:])


def main() -> int:
    """Run it, and judge by the limit.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  PYTHONPATH=tools .venv/bin/python -m bench.closed_loop --hours 8",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--hours",
        type=int,
        choices=(2, 4, 6, 8, 12, 24),
        default=HOURS,
        help="of the day, evenly taken (default: %(default)s)",
    )
    add(
        "--hour-steps",
        type=int,
        choices=(10, 20, 40, 60),
        default=20,
        help="steps of an hour (default: %(default)s)",
    )
    add("--step-seconds", type=float, default=1.0, help="of a step (default: %(default)s)")
    add(
        "--peak",
        type=float,
        default=4.0,
        help="replicas that the busiest hour asks for in the mean (default: %(default)s)",
    )
    add("--seed", type=int, default=0, help="of the draws (default: %(default)s)")
    options = parser.parse_args()
    clock = Clock(options.step_seconds, options.hour_steps)
    load = Load(options.hours, options.peak, options.seed)
    _, configuration = stack_settings()
    programs, definitions = built.find(Layout.of(ROOT, os.environ))
    with tempfile.TemporaryDirectory(prefix="closed-loop-") as scratch:
        folder = Path(scratch)
        rig = Rig.start(
            folder / "rig",
            programs,
            definitions,
            tuning=tuning_of(configuration, clock),
            say=print,
        )
        try:
            outcome = run(rig, folder, clock, load)
        finally:
            rig.stop()
    report(outcome, clock, options.hours)
    within = abs(outcome.difference) <= LARGEST_DIFFERENCE
    print(f"node-hours differ by {outcome.difference:+.1%}, limit {LARGEST_DIFFERENCE:.0%}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
