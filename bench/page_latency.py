"""Measures what a change of each control of `breakeven serve` computes, in processor time.

The page asks three questions after a change and shows each answer at once: the bill and the week;
then the verdict, break-even and sources; then the savings. Each control is changed alone, from what
the stack file states, and what is kept between changes is kept. Exits with 1 where a first answer
takes longer than the limit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from breakeven.cli.serve import explorer_of
from breakeven.web.controls import Control
from breakeven.web.explorer import Explorer

LIMIT = 0.3
QUESTIONS = ("bill", "whole", "levers")


def other_value(control: Control) -> str | None:
    """Return the next value of a control; None where it has no other."""
    values = [value for value, _ in control.options] if control.options else [*control.steps]
    later = values[values.index(control.value) + 1 :] if control.value in values else values
    return next(iter(later), None)


def answer_seconds(explorer: Explorer, state: Mapping[str, str]) -> list[float]:
    """Return the processor time of each answer."""
    taken = []
    for question in QUESTIONS:
        started = time.process_time()
        getattr(explorer, question)(state)
        taken.append(time.process_time() - started)
    return taken


def main() -> int:
    """Measure each control of a stack.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  make bench-page ARGS='--stack hybrid'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="aws-prod", help="stack (default: %(default)s)")
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT,
        help="seconds of a first answer above which the exit code is 1 (default: %(default)s)",
    )
    options = parser.parse_args()
    explorer = explorer_of(options.stack, datetime.now(tz=UTC).date())
    answer_seconds(explorer, {})
    slowest = 0.0
    print(f"{'change, seconds of a processor':48} bill   whole  levers")
    for control in explorer.controls:
        value = other_value(control)
        if value is None:
            continue
        taken = answer_seconds(explorer, {control.key: value})
        slowest = max(slowest, taken[0])
        print(f"{f'{control.key}: {value}':48} " + "  ".join(f"{each:.3f}" for each in taken))
    verdict = "within" if slowest <= options.limit else "ABOVE"
    print(f"slowest first answer {slowest:.3f} s, {verdict} {options.limit} s")
    return 0 if slowest <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
