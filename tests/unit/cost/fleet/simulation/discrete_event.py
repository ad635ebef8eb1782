"""The same week with each request, pod and node by itself, to check the vectorised one.

Written against the same documents, not the same code: requests have an output of their own and
share their replica's speed with the others on it; the replica with the fewest in flight gets the
next one and keeps it; pods are placed, started, drained and removed one by one, as the scheduler,
the ReplicaSet and Karpenter do; the HPA keeps its lists of recommendations and events. Arrivals are
those of the vectorised week, spread within each step.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed

STEP = 15.0
PRE_STOP = 15.0
LONGEST_REQUEST = 120.0
CONSOLIDATE_AFTER = 80.0


@dataclass(frozen=True)
class EventWeek:
    """What each request and node saw."""

    node_hours: float
    requests: int
    served: int
    cut: int
    left: int
    mean_queueing_seconds: float
    p95_queueing_seconds: float
    objective_share: float
    mean_replicas: float
    first_tokens: NDArray[np.float64]

    def share_within(self, seconds: float) -> float:
        """Share of requests whose first token came within so many seconds."""
        return float((self.first_tokens <= seconds).mean())


@dataclass(eq=False)
class Node:
    """A machine; paid from its order to its removal."""

    ordered: float
    ready: float
    pods: set[Pod] = field(default_factory=set)
    empty_since: float = 0.0


@dataclass(eq=False)
class Pod:
    """A replica on its node."""

    number: int
    node: Node
    ready: float
    engine: EngineReplica | None = None


@cache
def _seconds_of(speed: ReplicaSpeed) -> Callable[[int], float]:
    """As `ReplicaSpeed.seconds`, which every request asks for twice; the answers are kept."""
    return cache(speed.seconds)


class EngineReplica:
    """Runs requests at a common speed that falls as their number grows."""

    def __init__(
        self,
        env: simpy.Environment,
        speed: ReplicaSpeed,
        random: np.random.Generator,
        on_start: Callable[[float, float], None],
    ) -> None:
        self.env, self.speed, self.random, self.on_start = env, speed, random, on_start
        self.prompts_until = 0.0
        self.seconds = _seconds_of(speed)
        self.running: list[float] = []  # at which progress each ends
        self.queue: deque[tuple[float, float]] = deque()
        self.progress = 0.0
        self.last = env.now
        self.version = 0
        self.served = 0
        self.stopping: float | None = None

    @property
    def in_flight(self) -> int:
        return len(self.running) + len(self.queue)

    def add(self, arrived: float, work: float) -> None:
        self.advance()
        self.queue.append((arrived, work))
        self.fill()

    def advance(self) -> None:
        if self.running:
            seconds = self.seconds(len(self.running))
            self.progress += (self.env.now - self.last) / seconds
        self.last = self.env.now

    def fill(self) -> None:
        while self.queue and len(self.running) < self.speed.slots:
            arrived, work = self.queue.popleft()
            wait = self.env.now - arrived
            self.on_start(wait, wait + self.first_token())
            heapq.heappush(self.running, self.progress + work)
        self.version += 1
        if self.running:
            left = (self.running[0] - self.progress) * self.seconds(len(self.running))
            version = self.version
            timer = self.env.timeout(max(left, 0.0))
            assert timer.callbacks is not None
            timer.callbacks.append(lambda _: self.finish(version))

    def first_token(self) -> float:
        """From a slot to the first token: prompts one after the other, in the steps of the others.

        A step that runs has to end first.
        """
        prompts = self.speed.prompts
        if prompts is None:
            return self.speed.first_token_seconds
        number = int(self.random.integers(len(prompts.work)))
        if not self.running:
            self.prompts_until = self.env.now + prompts.alone[number]
            return prompts.alone[number]
        share = (len(self.running) - 1) / max(self.speed.slots - 1, 1)
        step = prompts.decode_alone + (prompts.decode_full - prompts.decode_alone) * share
        begins = max(self.env.now + float(self.random.random()) * step, self.prompts_until)
        self.prompts_until = begins + prompts.work[number] + prompts.budget_share[number] * step
        own = max(prompts.work[number] + prompts.steps[number] * step, prompts.alone[number])
        return begins + own - self.env.now

    def finish(self, version: int) -> None:
        if version != self.version:
            return
        self.advance()
        heapq.heappop(self.running)
        self.served += 1
        self.fill()

    def stop(self) -> int:
        """Cuts what still runs."""
        self.version += 1
        cut = self.in_flight
        self.running.clear()
        self.queue.clear()
        return cut


class HorizontalAutoscaler:
    """With the lists of horizontal.go: recommendations and scale-down events by time."""

    def __init__(self, configuration: FleetConfiguration) -> None:
        fleet = configuration.fleet
        self.lowest = fleet.lowest if fleet.autoscaling else fleet.highest
        self.highest = fleet.highest
        self.targets = (configuration.target_requests, configuration.target_waiting)
        self.window = fleet.scale_down_seconds
        self.recommendations: list[tuple[float, int]] = []
        self.removals: list[tuple[float, int]] = []
        self.additions: list[tuple[float, int]] = []
        self.growth_seconds = configuration.growth_seconds

    def desired(self, now: float, current: int, metrics: tuple[int, int]) -> int:
        answers = []
        for usage, target in zip(metrics, self.targets, strict=True):
            ratio = usage / (target * current)
            answers.append(current if abs(ratio - 1) <= 0.1 else math.ceil(usage / target))
        wanted = max(answers)
        recent = [value for at, value in self.recommendations if at > now - self.window]
        highest_recent = max([wanted, *recent])
        self.recommendations = [*self.recommendations[-300:], (now, wanted)]
        stable = current
        stable = max(stable, wanted)
        stable = min(stable, highest_recent)
        if stable > current:
            began = current + sum(
                sign * count
                for sign, events in ((-1, self.additions), (1, self.removals))
                for at, count in events
                if at > now - self.growth_seconds
            )
            stable = min(stable, max(2 * began, current))
        elif stable < current:
            recently = sum(count for at, count in self.removals if at > now - 60)
            stable = max(stable, current + recently - 1)
            stable = min(stable, current)
        bounded = min(max(stable, self.lowest), self.highest)
        if bounded < current:
            self.removals.append((now, current - bounded))
        elif bounded > current:
            self.additions.append((now, bounded - current))
        return bounded


class Cluster:
    """Nodes, pods, and the requests between them."""

    def __init__(self, configuration: FleetConfiguration, replicas: int, seed: int) -> None:
        self.env = simpy.Environment()
        self.configuration = configuration
        self.random = np.random.default_rng(seed)
        self.numbers = itertools.count()
        self.nodes: list[Node] = []
        self.pods: list[Pod] = []
        self.going: list[Pod] = []
        self.waits: list[float] = []
        self.first_tokens: list[float] = []
        self.node_seconds = 0.0
        self.served = self.cut = 0
        self.replica_samples: list[int] = []
        fleet = configuration.fleet
        for _ in range(fleet.fixed_nodes or math.ceil(replicas / fleet.replicas_per_node)):
            self.nodes.append(Node(0.0, 0.0))
        for _ in range(replicas):
            self.place(starts=False)
        self.wake()

    def place(self, *, starts: bool = True) -> None:
        """The scheduler spreads; where no node has room Karpenter orders one."""
        fleet, now = self.configuration.fleet, self.env.now
        room = [node for node in self.nodes if len(node.pods) < fleet.replicas_per_node]
        if room:
            node = min(room, key=lambda one: len(one.pods))
        else:
            node = Node(now, now + self.configuration.node_start_seconds)
            self.nodes.append(node)
        load = fleet.start_seconds
        if fleet.fixed_nodes is None:
            load -= self.configuration.node_start_seconds
        ready = max(now, node.ready) + load if starts else now
        pod = Pod(next(self.numbers), node, ready)
        node.pods.add(pod)
        self.pods.append(pod)

    def wake(self) -> None:
        for pod in self.pods:
            if pod.engine is None and pod.ready <= self.env.now:
                pod.engine = EngineReplica(
                    self.env, self.configuration.speed, self.random, self.started
                )

    def started(self, wait: float, first_token: float) -> None:
        self.waits.append(wait)
        self.first_tokens.append(first_token)

    def remove(self) -> None:
        """ActivePodsWithRanks: not ready first, then from the fullest node, then the newest."""
        ready = [pod for pod in self.pods if pod.engine is not None]
        pod = max(
            self.pods,
            key=lambda one: (
                one.engine is None,
                sum(other.node is one.node for other in ready),
                one.number,
            ),
        )
        self.pods.remove(pod)
        if pod.engine is None:
            self.release(pod)
        else:
            pod.engine.stopping = self.env.now
            self.going.append(pod)

    def rebind(self) -> None:
        """A pod that waits for its node takes a place that becomes free before."""
        fleet, now = self.configuration.fleet, self.env.now
        for pod in self.pods:
            if pod.node.ready <= now:
                continue
            room = [
                node
                for node in self.nodes
                if node.ready <= now and len(node.pods) < fleet.replicas_per_node
            ]
            if room:
                self.release(pod)
                pod.node = min(room, key=lambda one: len(one.pods))
                pod.node.pods.add(pod)
                pod.ready = now + fleet.start_seconds - self.configuration.node_start_seconds

    def release(self, pod: Pod) -> None:
        pod.node.pods.remove(pod)
        # A node is not removed before it has joined.
        pod.node.empty_since = max(self.env.now, pod.node.ready)

    def drain(self) -> None:
        for pod in list(self.going):
            engine = pod.engine
            assert engine is not None
            assert engine.stopping is not None
            since = self.env.now - engine.stopping
            if since < PRE_STOP or (engine.in_flight and since < PRE_STOP + LONGEST_REQUEST):
                continue
            self.cut += engine.stop()
            self.served += engine.served
            self.going.remove(pod)
            self.release(pod)

    def consolidate(self) -> None:
        if self.configuration.fleet.fixed_nodes is not None:
            return
        for node in list(self.nodes):
            if not node.pods and self.env.now - node.empty_since >= CONSOLIDATE_AFTER:
                self.nodes.remove(node)
                self.node_seconds += self.env.now - node.ordered

    def engines(self) -> list[EngineReplica]:
        return [pod.engine for pod in [*self.pods, *self.going] if pod.engine is not None]

    def route(self, now: float) -> None:
        ready = [pod.engine for pod in self.pods if pod.engine is not None]
        least = min(ready, key=lambda engine: engine.in_flight)
        least.add(now, float(self.random.exponential()))

    def control(self, hours: int) -> Generator[Any, Any, None]:
        scaler = HorizontalAutoscaler(self.configuration)
        for _ in range(int(hours * 3600 / STEP)):
            engines = self.engines()
            metrics = (
                sum(engine.in_flight for engine in engines),
                sum(len(engine.queue) for engine in engines),
            )
            wanted = scaler.desired(self.env.now, len(self.pods), metrics)
            while len(self.pods) > wanted:
                self.remove()
            while len(self.pods) < wanted:
                self.place()
            self.replica_samples.append(wanted)
            for _ in range(3):  # the rest of the cluster looks every five seconds
                self.drain()
                self.rebind()
                self.consolidate()
                self.wake()
                yield self.env.timeout(STEP / 3)

    def requests(self, arrivals: NDArray[np.float64]) -> Generator[Any, Any, None]:
        for step, count in enumerate(arrivals):
            for moment in np.sort(self.random.random(int(count))).tolist():
                yield self.env.timeout(max(0.0, (step + moment) * STEP - self.env.now))
                self.route(self.env.now)


def event_week(
    arrivals: NDArray[np.float64], configuration: FleetConfiguration, seed: int
) -> EventWeek:
    """Simulates whole hours of arrivals, a value for each 15 seconds."""
    fleet, speed = configuration.fleet, configuration.speed
    hours = len(arrivals) * STEP / 3600
    rate = float(arrivals[:240].mean()) / STEP
    batch = min(configuration.target_requests, speed.slots)
    present = math.ceil(rate * speed.seconds(batch))
    lowest = fleet.lowest if fleet.autoscaling else fleet.highest
    replicas = min(max(math.ceil(present / configuration.target_requests), lowest), fleet.highest)
    cluster = Cluster(configuration, replicas, seed)
    cluster.env.process(cluster.control(int(hours)))
    cluster.env.process(cluster.requests(arrivals))
    cluster.env.run(until=hours * 3600)
    end = cluster.env.now
    paid = cluster.node_seconds + sum(end - node.ordered for node in cluster.nodes)
    engines = cluster.engines()
    now_waiting = [end - arrived for engine in engines for arrived, _ in engine.queue]
    waits = np.asarray([*cluster.waits, *now_waiting])
    first_tokens = np.asarray([*cluster.first_tokens, *now_waiting])
    return EventWeek(
        node_hours=paid / 3600,
        requests=int(arrivals.sum()),
        served=cluster.served + sum(engine.served for engine in engines),
        cut=cluster.cut,
        left=sum(engine.in_flight for engine in engines),
        mean_queueing_seconds=float(waits.mean()),
        p95_queueing_seconds=float(np.quantile(waits, 0.95)),
        objective_share=float((first_tokens <= configuration.objective_seconds).mean()),
        mean_replicas=float(np.mean(cluster.replica_samples)),
        first_tokens=first_tokens,
    )
