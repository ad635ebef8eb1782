"""Options of benchmarks that run two things in turn and judge the median of their ratios."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

DEFAULT_PAIRS = 7


def pair_options(description: str | None, example: str, *, limit: float) -> argparse.ArgumentParser:
    """Return a parser with the options `--pairs` and `--limit`.

    Args:
        description: What the benchmark measures.
        example: A command that runs it.
        limit: The default of `--limit`.
    """
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--pairs", type=int, default=DEFAULT_PAIRS, help="runs of each (default: %(default)s)"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=limit,
        help="median ratio above which the exit code is 1 (default: %(default)s)",
    )
    return parser


def is_within(name: str, ratios: Sequence[float], limit: float) -> bool:
    """Print the median of ratios, and tell whether it is within the limit."""
    median = statistics.median(ratios)
    within = median <= limit
    print(
        f"{name}: median ratio {median:.3f}, {'within' if within else 'ABOVE'} {limit}", flush=True
    )
    return within
