"""Shows the autoscaling of a stack in three minutes: load rises, nodes come, load falls, nodes go.

It starts a rig of its own with a faster clock, deploys a stack to it by Pulumi, and removes all of
it again. API server, scheduler, KEDA, Karpenter and Prometheus are the real ones; machines are
simulated, and vLLM by bench/loop/vllm_standin.py. Prices are those of the price book.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.live import Live
from rich.table import Table

from bench.loop.case import ONE_AT_LEAST, Clock
from bench.loop.cluster import (
    NAMESPACE,
    compress,
    deployed,
    load_seconds,
    node_types,
    removed,
    tuning_of,
    wanted_replicas,
)
from bench.loop.vllm_standin import (
    VllmStandin,
    arrivals_within,
    kubelet_stages,
    restore,
    target_file,
)
from bootstrap import cluster as built
from bootstrap.cli import terminate
from bootstrap.console import SetupError
from bootstrap.layout import Layout
from breakeven.cli.status.screen import screen as status_screen
from breakeven.cluster.connection import connect
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus
from breakeven.cluster.status.observe import observe
from breakeven.cluster.status.plan import plan_of
from breakeven.cluster.status.snapshot import Snapshot
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.manifests.render import render
from breakeven.planning.offline import load_stack
from breakeven.settings.files import ROOT
from rig.cluster import Rig

CASE = ONE_AT_LEAST
CLOCK = Clock(step_seconds=0.6, hour_steps=240)
PEAK_REPLICAS = 3.0
"""What the load asks for at its highest."""

RISE, HOLD, QUIET = 70, 40, 110
"""Steps in which the load rises to its peak, stays there, and then is low."""

_LOWEST = 0.05
_BAR = 24
_EVERY_SECONDS = 5.0
_WIDTH = 100


def load_of(configuration: FleetConfiguration) -> NDArray[np.float64]:
    """The mean requests of each step: up, along, and down."""
    speed = configuration.speed
    target = min(configuration.target_requests, speed.slots)
    peak = PEAK_REPLICAS * target / speed.seconds(target) * STEP_SECONDS
    shape = [np.linspace(_LOWEST, 1.0, RISE), np.ones(HOLD), np.full(QUIET, _LOWEST)]
    return np.asarray(np.concatenate(shape) * peak)


@dataclass
class Meter:
    """What is paid, on the clock of the load.

    Attributes:
        assumptions: Of the stack, with its prices.
        requests: Sent so far.
        spent: USD for nodes so far.
        seconds: Of the load's clock.
        most_nodes: At once.
    """

    assumptions: Assumptions
    requests: int = 0
    spent: Decimal = Decimal(0)
    seconds: float = 0.0
    most_nodes: int = 0
    _prices: dict[str, Decimal] = field(default_factory=dict)

    def hourly(self, types: list[str]) -> Decimal:
        """USD an hour for nodes of these machine types; one that is ordered costs nothing yet."""
        return sum((self._price(kind) for kind in types), Decimal(0))

    def add(self, types: list[str], requests: int, seconds: float) -> None:
        """Count some time."""
        self.spent += self.hourly(types) * Decimal(repr(round(seconds, 3))) / 3600
        self.requests += requests
        self.seconds += seconds
        self.most_nodes = max(self.most_nodes, len(types))

    @property
    def by_api(self) -> Decimal:
        """USD for the same requests by the API in use."""
        return self.requests * self.assumptions.api_in_use.usd_per_request

    def _price(self, kind: str) -> Decimal:
        if kind == "ordered":
            return Decimal(0)
        if kind not in self._prices:
            where = self.assumptions.cloud, self.assumptions.region
            self._prices[kind] = self.assumptions.book.node(*where, kind, "on-demand").usd
        return self._prices[kind]


@dataclass(frozen=True)
class Moment:
    """What is to be seen at one time."""

    load_share: float
    wanted: int
    ready: int
    types: list[str]


def screen(moment: Moment, meter: Meter) -> Table:
    """Lay a moment out."""
    table = Table.grid(padding=(0, 2))
    bar = "█" * round(moment.load_share * _BAR)
    mix = ", ".join(f"{count} x {kind}" for kind, count in Counter(moment.types).items())
    api = meter.assumptions.api_in_use.reference
    rows = (
        ("clock of the load", f"{meter.seconds / 60:.0f} min"),
        ("load", f"{bar:<{_BAR}} {moment.load_share:.0%} of the peak"),
        ("replicas", f"{moment.wanted} wanted, {moment.ready} ready"),
        ("nodes", f"{len(moment.types)}: {mix}"),
        ("GPU nodes now", f"${meter.hourly(moment.types):,.2f} an hour"),
        ("GPU nodes so far", f"${meter.spent:,.2f}"),
        (f"same requests by {api}", f"${meter.by_api:,.2f}"),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table


def line(moment: Moment, meter: Meter) -> str:
    """The same in one line, where there is no terminal."""
    return (
        f"{meter.seconds / 60:3.0f} min  load {moment.load_share:4.0%}  replicas {moment.wanted} "
        f"({moment.ready} ready)  nodes {len(moment.types)}  "
        f"${meter.hourly(moment.types):.2f} an hour  so far ${meter.spent:.2f}"
    )


@contextmanager
def shown() -> Iterator[Callable[[Moment, Meter], None]]:
    """A live screen on a terminal, a line every few seconds elsewhere."""
    if sys.stdout.isatty():
        with Live(console=Console(), auto_refresh=False) as live:
            yield lambda moment, meter: live.update(screen(moment, meter), refresh=True)
        return
    due = 0.0

    def tell(moment: Moment, meter: Meter) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _EVERY_SECONDS
            print(line(moment, meter), flush=True)

    yield tell


def status_of(rig: Rig) -> Callable[[], Snapshot]:
    """Returns what looks at the stack as `breakeven status` does."""
    loaded = load_stack(CASE.stack, datetime.now(tz=UTC).date())
    needs = Needs(CASE.stack, loaded.stack, render(loaded.stack))
    cluster, plan = connect(rig.kubeconfig), plan_of(loaded.report())
    prometheus = Prometheus.at(rig.prometheus)
    return lambda: observe(needs, cluster, prometheus, plan, datetime.now(tz=UTC))


def watch(
    rig: Rig,
    configuration: FleetConfiguration,
    meter: Meter,
    name: str,
    status: Callable[[], Snapshot],
) -> Snapshot:
    """Send the load and show what the cluster makes of it; returns its status at the peak."""
    seen: Snapshot | None = None
    standin = VllmStandin(rig.api, NAMESPACE, name, configuration, seed=0)
    (rig.folder.targets / "demo.json").write_text(target_file(standin.address))
    stages = kubelet_stages(rig.api, round(CLOCK.real(load_seconds(configuration)) * 1000))
    random, load = np.random.default_rng(0), load_of(configuration)
    try:
        compress(rig.api, configuration, CLOCK)
        began = before = time.monotonic()
        with shown() as show:
            for number, mean in enumerate(load.tolist()):
                requests = int(random.poisson(mean))
                arrivals = arrivals_within(requests, number, random)
                standin.step((number + 1) * STEP_SECONDS, arrivals)
                due = began + (number + 1) * CLOCK.step_seconds
                time.sleep(max(0.0, due - time.monotonic()))
                now = time.monotonic()
                steps, before = (now - before) / CLOCK.step_seconds, now
                types, wanted = node_types(rig.api), wanted_replicas(rig.api)
                meter.add(types, requests, steps * STEP_SECONDS)
                if number == RISE + HOLD // 2:
                    seen = status()
                show(Moment(mean / load.max(), wanted, standin.ready, types), meter)
                small = len(types) == configuration.fleet.lowest_nodes
                if number > RISE + HOLD and small:
                    break
    finally:
        restore(rig.api, stages)
        standin.close()
    return seen or status()


def main() -> int:
    """Show it from the start of the rig to its end.

    Returns:
        The exit code; 1 where the nodes did not come, or did not go.
    """
    began = time.monotonic()
    settings, configuration = CASE.settings()
    meter = Meter(load_stack(CASE.stack, datetime.now(tz=UTC).date()).assumptions)
    try:
        programs, definitions = built.find(Layout.of(ROOT, os.environ))
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="breakeven-demo-") as scratch:
        folder = Path(scratch)
        tuning = tuning_of(configuration, CLOCK)
        rig = Rig.start(folder / "rig", programs, definitions, tuning=tuning, say=print)
        try:
            print(f"deploying stack {CASE.stack} with Pulumi …", flush=True)
            project = deployed(rig, folder, CASE)
            print(
                f"load rises, stays and falls; one second here is "
                f"{STEP_SECONDS / CLOCK.step_seconds:.0f} seconds of it",
                flush=True,
            )
            status = status_of(rig)
            seen = watch(rig, configuration, meter, settings.model.facts.name, status)
            print(f"what breakeven status {CASE.stack} said while the load was at its peak:")
            Console(width=_WIDTH).print(status_screen(seen))
            left = len(node_types(rig.api))
            print("removing the stack …", flush=True)
            removed(rig, project, CASE)
        finally:
            rig.stop()
    grew, shrank = meter.most_nodes > 1, left == configuration.fleet.lowest_nodes
    print(
        f"{meter.most_nodes} nodes at the peak, {left} after the load fell, none left. In "
        f"{meter.seconds / 60:.0f} minutes of the load's clock the GPU nodes cost "
        f"${meter.spent:.2f}; the same {meter.requests:,} requests by "
        f"{meter.assumptions.api_in_use.reference} ${meter.by_api:.2f}.\n"
        f"People, control plane and the rest of the bill: breakeven estimate {CASE.stack}\n"
        f"done in {time.monotonic() - began:.0f} s; nothing runs any more"
    )
    return 0 if grew and shrank else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
