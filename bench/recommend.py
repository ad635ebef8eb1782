"""How long `breakeven recommend` takes, and how that grows with the number of configurations.

The traffic of a stack is multiplied, so that ever more base nodes are worth a try. Each search is
run on one core, several times; the median counts. Exits with 1 where the largest search has fewer
configurations than it should, or the smallest that has as many takes longer than the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from breakeven.cli.recommend.search import Wishes, search_of
from breakeven.cost.optimizer.ranking import recommend
from breakeven.cost.optimizer.search import Search
from breakeven.planning.offline import load_stack

ENOUGH = 5000


def scaled(search: Search, factor: int) -> Search:
    """Returns the search with that many times the traffic and the GPUs."""
    assumptions = search.assumptions
    load = replace(assumptions.load, tokens_per_day=assumptions.load.tokens_per_day * factor)
    return replace(
        search,
        assumptions=replace(assumptions, load=load),
        max_gpus=search.max_gpus * factor,
    )


def measure(search: Search, repetitions: int) -> tuple[int, float]:
    """Runs a search several times.

    Returns:
        How many configurations were evaluated, and the median of the seconds.
    """
    seconds = []
    evaluated = 0
    for _ in range(repetitions):
        started = time.perf_counter()
        evaluated = recommend(search).counts.evaluated
        seconds.append(time.perf_counter() - started)
    return evaluated, statistics.median(seconds)


def main() -> int:
    """Measure, print, and judge.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python bench/recommend.py --stack aws-prod --limit 10",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="aws-prod", help="default: %(default)s")
    parser.add_argument(
        "--repetitions", type=int, default=3, help="runs of each search (default: %(default)s)"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=10.0,
        help=f"seconds that {ENOUGH:,} configurations may take (default: %(default)s)",
    )
    options = parser.parse_args()
    search = search_of(load_stack(options.stack), Wishes(commitment_percent=Decimal(30)))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    for factor in (1, 2, 4, 8, 16):
        evaluated, seconds = measure(scaled(search, factor), options.repetitions)
        rows.append((evaluated, seconds))
        first_evaluated, first_seconds = rows[0]
        print(
            f"traffic x {factor:2}: {evaluated:7,} configurations in {seconds:6.2f} s,"
            f" {seconds / evaluated * 1e6:5.0f} us each;"
            f" {evaluated / first_evaluated:5.2f} x as many "
            f"take {seconds / first_seconds:5.2f} x as long",
            flush=True,
        )
    judged = next((row for row in rows if row[0] >= ENOUGH), None)
    if judged is None:
        print(f"no search has {ENOUGH:,} configurations")
        return 1
    within = judged[1] <= options.limit
    print(
        f"{judged[0]:,} configurations in {judged[1]:.2f} s, "
        f"{'within' if within else 'ABOVE'} the limit of {options.limit:g} s"
    )
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
