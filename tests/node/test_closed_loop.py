"""Real Prometheus, real KEDA and real replicas: one becomes two and one again under a load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event, Thread

import numpy as np

from breakeven.cost.fleet.simulation.arithmetic import ONE
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.parameters import parameters_of
from breakeven.cost.fleet.simulation.run import Run
from breakeven.planning.fleet import configuration_of
from breakeven.planning.offline import load_values
from node.starting import Started
from tests.cluster.deploying import DEPLOYMENT, NAMESPACE, destroy, up, wait_for
from tests.cluster.inventory import inventory
from tests.node.deployed import READY_SECONDS, Deployed, secret
from tests.node.pods import Background, make_pod, said
from tests.node.scripts import LOAD
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
SERVICE = f"http://model.{NAMESPACE}:8000"

TARGET = 2
# They ask in step: on a busy machine, a look finds between none and all of them in the engine, so
# a decision takes the most of several looks.
CALLERS = 8
TOKENS = 600
DOWN_SECONDS = 120
# Of the whole trial; a machine that does other work meanwhile starts replicas late.
LARGEST_DIFFERENCE = 0.15


@dataclass
class Watched:
    """What was there while the load ran.

    Attributes:
        wanted: Replica-seconds, as the autoscaler wanted them.
        most: Most replicas that it wanted.
        rise: Seconds of each start, from the wish to readiness.
    """

    wanted: float = 0.0
    most: int = 0
    rise: float = 0.0


@contextmanager
def watching(deployed: Deployed) -> Iterator[Watched]:
    """Adds up replicas twice a second until the block ends."""
    watched, ended = Watched(), Event()

    def look() -> None:
        last = time.monotonic()
        while not ended.wait(0.5):
            now = time.monotonic()
            wanted = int(deployed.api.get(DEPLOYMENT)["spec"]["replicas"])
            watched.wanted += wanted * (now - last)
            watched.most = max(watched.most, wanted)
            last = now

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield watched
    finally:
        ended.set()
        watcher.join()


def test_a_replica_comes_with_the_load_and_goes_with_it_and_no_request_is_lost(
    node: Started, project: Project, figures: list[str]
) -> None:
    caller = make_pod(node, "default", "load")
    values = write_stack(
        project,
        node,
        **{
            "replicas.autoscaling": True,
            "replicas.max": 2,
            "replicas.targetRequests": TARGET,
            "replicas.targetWaiting": 1,
            "replicas.scaleDownSeconds": DOWN_SECONDS,
            "monitoring.prometheusAddress": node.prometheus,
            "engine.longestRequestSeconds": 60,
        },
    )
    deployed = Deployed(node, project, caller, inventory(node.api))
    up(project, STACK)
    deployed.wait_until_ready()
    key = secret(node.api, KEY_SECRET)["api-key"]

    def load(callers: int) -> Background:
        asked = (SERVICE, key, MODEL, "1800", str(callers), str(TOKENS))
        return Background(caller, LOAD, asked, seconds=180).start()

    began = time.time()
    with watching(deployed) as watched:
        few = load(1)
        time.sleep(2 * STEP_SECONDS)
        many = load(CALLERS - 1)
        wait_for("a second replica", lambda: watched.most == 2, 120)
        asked_for = time.monotonic()
        deployed.wait_until_ready(2)
        watched.rise = time.monotonic() - asked_for
        time.sleep(4 * STEP_SECONDS)
        answers = [many.stop()]
        wait_for("one replica again", lambda: len(deployed.engines()) == 1, READY_SECONDS)
        time.sleep(2 * STEP_SECONDS)
        answers.append(few.stop())
    destroy(project, STACK)
    node.api.delete(caller.path)
    for answer in answers:
        figures.append(f"the closed loop: {said(answer)}")
        assert set(answer["statuses"]) == {"200"}, answer
    calls = [(start, took) for answer in answers for start, took, _ in answer["calls"]]
    predicted = replica_seconds(configuration(values, calls, watched.rise), calls, began)
    difference = predicted / watched.wanted - 1
    figures.append(
        f"the closed loop: {watched.wanted:.0f} replica-seconds, forecast {predicted:.0f} "
        f"({difference:+.1%}); the second replica was ready {watched.rise:.0f} s after it was "
        "asked for"
    )
    assert abs(difference) <= LARGEST_DIFFERENCE


def configuration(
    values: dict[str, object], calls: list[tuple[float, float]], start: float
) -> FleetConfiguration:
    """What the preview simulates for the stack, with the speed and the start that were measured."""
    loaded = load_values(STACK, values, datetime.now(tz=UTC).date())
    assumed = loaded.assumptions
    planned = configuration_of(loaded.settings, assumed.load, assumed.capacity, 0.0)
    mean = float(np.mean([seconds for _, seconds in calls]))
    measured = replace(planned.speed, seconds_alone=mean, seconds_full=mean, prompts=None)
    fleet = replace(planned.fleet, start_seconds=start)
    return replace(planned, speed=measured, fleet=fleet, target_requests=TARGET)


def replica_seconds(
    planned: FleetConfiguration, calls: list[tuple[float, float]], began: float
) -> float:
    """What the simulation says of the same requests, step by step."""
    ended = max(start + seconds for start, seconds in calls)
    steps = round((ended - began) / STEP_SECONDS)
    arrivals, _ = np.histogram(
        [start - began for start, _ in calls], bins=steps, range=(0, steps * STEP_SECONDS)
    )
    random = np.random.default_rng(0)
    run, total = Run(parameters_of(planned), ONE, float(arrivals[0]) / STEP_SECONDS, 0), 0.0
    for count in arrivals.tolist():
        replicas, *_ = run.step(
            count, random.standard_normal(), random.random(), random.random(), 0
        )
        total += float(replicas) * STEP_SECONDS
    return total
