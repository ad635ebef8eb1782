"""Runs a stack under days of load in the real loop, and compares what it cost with the preview.

API server, scheduler, HorizontalPodAutoscaler, KEDA, Karpenter and Prometheus are the real ones of
the rig; machines are simulated, and vLLM by bench/loop/vllm_standin.py. The clock is compressed: a
step of the simulation, 15 seconds, lasts --step-seconds, and every time setting is scaled alike;
what cannot be scaled (Karpenter's own waits) is an input of the simulation. docs/closed-loop.md
says more. Exits with 1 where node-hours differ by more than 10%. Run from the root: make bench-loop
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench.loop.case import HOURS_A_DAY, ONE_AT_LEAST, TO_ZERO, Clock, Load, Trial
from bench.loop.cluster import tuning_of
from bench.loop.observe import Outcome, run
from bootstrap import cluster as built
from bootstrap.cli import terminate
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from rig.cluster import Rig

LARGEST_DIFFERENCE = 0.10


def report(outcome: Outcome, clock: Clock, load: Load) -> None:
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
    print(f"{'fewest nodes':26} {outcome.real.least:10} {outcome.simulated.least:10}")
    mix = {key: steps / clock.hour_steps for key, steps in sorted(outcome.real.types.items())}
    print("node-hours by machine: " + ", ".join(f"{key} {each:.1f}" for key, each in mix.items()))
    print(
        f"a replica starts in {outcome.start_seconds:.1f} s\n"
        f"down to the fewest nodes {outcome.down_seconds:.0f} s after the last request; none left "
        f"after destroy\nrequests cut {outcome.unserved}; steps late by one or more "
        f"{outcome.late_share:.1%}; load of the machine {os.getloadavg()[1]:.1f} on "
        f"{os.cpu_count()} cores; {load.days} days of {load.hours} hours of {clock.hour_steps} "
        f"steps of {clock.step_seconds:g} s, seed {load.seed}"
    )


def _options() -> argparse.Namespace:
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
        default=HOURS_A_DAY,
        help="of a day, evenly taken (default: %(default)s)",
    )
    add("--days", type=int, choices=range(1, 8), default=1, help="from Monday (default: 1)")
    add(
        "--to-zero",
        action="store_true",
        help="a hybrid stack that has no replica in the six quietest hours of a day",
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
    return parser.parse_args()


def main() -> int:
    """Run it, and judge by the limit.

    Returns:
        The exit code.
    """
    options = _options()
    clock = Clock(options.step_seconds, options.hour_steps)
    case = TO_ZERO if options.to_zero else ONE_AT_LEAST
    idle = options.hours // 4 if options.to_zero else 0
    load = Load(options.hours, options.days, idle, options.peak, options.seed)
    _, configuration = case.settings()
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
            trial = Trial(case, clock, load)
            outcome = run(rig, folder, trial, lambda line: print(line, flush=True))
        finally:
            rig.stop()
    report(outcome, clock, load)
    within = abs(outcome.difference) <= LARGEST_DIFFERENCE
    print(f"node-hours differ by {outcome.difference:+.1%}, limit {LARGEST_DIFFERENCE:.0%}")
    return 0 if within else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
