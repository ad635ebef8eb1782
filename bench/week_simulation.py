"""Measures the simulation of the week: time, growth, and distance from a discrete-event one.

Prints the time of a week of a million requests on one core, how it grows with weeks and with
requests, what many configurations at once cost, and for each case of
tests/unit/cost/fleet/simulation/cases.py how far node-hours, the share within the objective and
queueing are from a simulation of every request (simpy). Exits with 1 where the week takes longer
than the limit or node-hours differ by more than 5% (mean of the seeds). Run from the root:
python -m bench.week_simulation
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.demand.load import published_shape
from breakeven.cost.fleet.simulation.demand import draw
from breakeven.cost.fleet.simulation.simulate import simulate_week, simulate_weeks
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, Case, cases
from tests.unit.cost.fleet.simulation.discrete_event import event_week

WEEK_HOURS = 168
MILLION_A_WEEK = 1e6 / (WEEK_HOURS * 3600)  # requests a second
REPEATS = 3
LARGEST_DIFFERENCE = 0.05


def hours_of(weeks: int, requests_a_week: float) -> NDArray[np.float64]:
    """Return the published hours, repeated, at a number of requests a week."""
    week = np.asarray(published_shape()[0][:WEEK_HOURS])
    return np.tile(week / week.mean(), weeks) * (MILLION_A_WEEK * requests_a_week / 1e6)


def seconds_of(rates: NDArray[np.float64], highest: int) -> float:
    """Return the best of some runs, in seconds, for a fleet that can serve the load."""
    fleet = replace(CONFIGURATION.fleet, highest=highest)
    configuration = replace(CONFIGURATION, fleet=fleet)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        simulate_week(rates, 1.8, configuration, 0)
        times.append(time.perf_counter() - started)
    return min(times)


def speed() -> float:
    """Print times and growth.

    Returns:
        The seconds of one week of a million requests.
    """
    base = seconds_of(hours_of(1, 1e6), 24)
    print(f"one configuration, 1 week, 1M requests: {base:.2f} s")
    for weeks in (2, 4):
        taken = seconds_of(hours_of(weeks, 1e6), 24)
        print(f"{weeks} weeks, 1M requests a week: {taken:.2f} s, {taken / base:.2f} x")
    for millions, highest in ((0.1, 24), (10, 240)):
        taken = seconds_of(hours_of(1, millions * 1e6), highest)
        print(f"1 week, {millions:g}M requests: {taken:.2f} s, {taken / base:.2f} x")
    for count in (100, 1000):
        many = [
            replace(CONFIGURATION, fleet=replace(CONFIGURATION.fleet, lowest=1 + number % 8))
            for number in range(count)
        ]
        started = time.perf_counter()
        simulate_weeks(hours_of(1, 1e6), 1.8, many, 0)
        taken = time.perf_counter() - started
        print(
            f"{count} configurations at once, 1 week: {taken:.1f} s, "
            f"{taken / count * 1000:.1f} ms each, {taken / count / base:.3f} x"
        )
    return base


def distance(case: Case, seeds: int) -> float:
    """Print how far both simulations of a case are apart.

    Returns:
        The difference of node-hours, mean of the seeds, as a share.
    """
    rows = []
    for seed in range(seeds):
        week = simulate_week(case.rates, case.burst_factor, case.configuration, seed)
        arrivals = draw(case.rates, case.burst_factor, seed).arrivals
        rows.append((week.totals, event_week(arrivals, case.configuration, seed)))

    def mean(index: int, name: str) -> float:
        return statistics.fmean(getattr(row[index], name) for row in rows)

    difference = mean(0, "node_hours") / mean(1, "node_hours") - 1
    print(
        f"{case.name:31} {mean(0, 'requests'):9,.0f} "
        f"{mean(0, 'node_hours'):8.1f} {mean(1, 'node_hours'):8.1f} {difference:+7.1%} "
        f"{mean(0, 'objective_share'):8.2%} {mean(1, 'objective_share'):8.2%} "
        f"{mean(0, 'mean_queueing_seconds'):6.2f} {mean(1, 'mean_queueing_seconds'):6.2f}",
        flush=True,
    )
    return difference


def main() -> int:
    """Measure, and judge by the limits.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  .venv/bin/python -m bench.week_simulation --hours 48 --seeds 1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--hours", type=int, default=WEEK_HOURS, help="of each case (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="runs of each case (default: %(default)s)"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=1.0,
        help="seconds a week of a million requests may take (default: %(default)s)",
    )
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    base = speed()
    print(f"\n{options.hours} hours, means of {options.seeds} seeds, by step | by request")
    print(
        f"{'case':31} {'requests':>9} {'node-hours':>17} {'differ':>7} "
        f"{'within 2 s':>17} {'queueing, s':>13}"
    )
    differences = [distance(case, options.seeds) for case in cases(options.hours)]
    worst = max(abs(difference) for difference in differences)
    print(f"\nlargest difference of node-hours {worst:.1%}, limit {LARGEST_DIFFERENCE:.0%}")
    return 0 if base <= options.limit and worst <= LARGEST_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
