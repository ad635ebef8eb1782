"""Compares the capacity of replicas with what AISimulate says of the same ones.

    python -m bench.second_opinion [PYTHON] [--cases N] [--page]

PYTHON is that of an environment with AISimulate; `make bench-second-opinion` makes one. Its answers
are kept in `aisimulate_answers.jsonl`, so that a run continues where the last one stopped; without
PYTHON only kept answers are compared. AISimulate (PyPI aisimulate, Apache-2.0) is a second opinion
and not part of the product. Neither is right by itself: both are models of measurements. So both
are also compared with published measurements that our roofline was not fitted to.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.second_opinion_cases import Case, grid, measured

VERSION = "0.13.0.dev202610270000000085"
"""Build of AISimulate. 0.13.0 and 0.12.1 on PyPI are placeholders that download from elsewhere."""

ANSWERS = Path(__file__).with_name("aisimulate_answers.jsonl")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "second-opinion.md"
_ASKED = Path(__file__).with_name("aisimulate_estimates.py")

LARGE_DIFFERENCE = 0.30
"""Difference above which docs/second-opinion.md explains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case with both estimates.

    Attributes:
        case: It.
        ours: Output tokens per second by the roofline alone, also where a measurement is known.
        band: Half width of our band in percent; None where it is unknown.
        theirs: Output tokens per second by AISimulate.
        measured: Output tokens per second as published; None for a case of the grid.
    """

    case: Case
    ours: float
    band: float | None
    theirs: float
    measured: float | None = None

    @property
    def difference(self) -> float:
        """Ours less theirs, as a share of theirs."""
        return self.ours / self.theirs - 1


@cache
def kept() -> Mapping[str, Mapping[str, object]]:
    """Returns the answers of this build that are known, by what was asked."""
    lines = ANSWERS.read_text(encoding="utf-8").splitlines() if ANSWERS.exists() else []
    entries = [json.loads(line) for line in lines]
    return {_key(each["asked"]): each["answer"] for each in entries if each["version"] == VERSION}


def ask(python: str, cases: Iterable[Case], limit: int) -> None:
    """Asks what is not known yet, and keeps each answer at once.

    Args:
        python: The interpreter that has AISimulate.
        cases: All cases.
        limit: Cases that are asked about at most.
    """
    known = kept()
    asked = [case.asked() for case in cases]
    new = list({_key(each): each for each in asked if _key(each) not in known}.values())[:limit]
    if not new:
        return
    with (
        subprocess.Popen(
            [python, str(_ASKED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
        ANSWERS.open("a", encoding="utf-8") as file,
    ):
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            sys.exit("no pipes to AISimulate")
        for number, each in enumerate(new, 1):
            began = time.monotonic()
            print(json.dumps(each), file=stdin, flush=True)
            answer = stdout.readline()
            if not answer:
                sys.exit(f"{python} ended without an answer: install aisimulate=={VERSION} there")
            entry = {"version": VERSION, "asked": each, "answer": json.loads(answer)}
            print(json.dumps(entry), file=file, flush=True)
            seconds = time.monotonic() - began
            print(f"{number}/{len(new)} {seconds:.1f} s {_key(each)} {answer[:80]}", flush=True)
        stdin.close()
    kept.cache_clear()


def compared(case: Case, published: float | None = None) -> Compared | None:
    """Returns both estimates of a case; None where AISimulate has none."""
    answer = kept().get(_key(case.asked()), {"error": "not asked"})
    served = case.served()
    if "error" in answer or served is None:
        return None
    # With a published measurement of the same engine a capacity would only repeat it.
    ours = served.output_tokens_per_second if published is None else case.by_roofline()
    return Compared(
        case=case,
        ours=ours,
        band=None if served.is_unknown else served.error_percent,
        theirs=float(str(answer["outputTokensPerSecond"])),
        measured=published,
    )


def of_grid() -> list[Compared]:
    """Returns the cases of the grid with an answer."""
    return [found for case in grid() if (found := compared(case)) is not None]


def of_measurements() -> list[Compared]:
    """Returns the measured cases with an answer."""
    every = (compared(case, published) for case, published in measured())
    return [found for found in every if found is not None]


def _key(asked: object) -> str:
    return json.dumps(asked, sort_keys=True)


def page(text: str) -> str:
    """Returns the text of docs/second-opinion.md with its tables of now."""
    for name, table in (("groups", _groups), ("measured", _measured), ("all", _all)):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{table()}\n\n{end}{rest.partition(end)[2]}"
    return text


def _groups() -> str:
    rows, by_group = of_grid(), defaultdict(list)
    for row in rows:
        by_group[row.case.group].append(row)
    heads = ("GPU, models, GPUs per replica", "Configurations", "Median", "Range", "Above 30%")
    every = [*sorted(by_group.items()), ("all", rows)]
    return _table(heads, [_summary(name, some) for name, some in every])


def _summary(name: str, rows: Sequence[Compared]) -> tuple[object, ...]:
    some = [row.difference for row in rows]
    large = sum(abs(each) > LARGE_DIFFERENCE for each in some)
    span = f"{min(some):+.0%} to {max(some):+.0%}"
    return name, len(some), f"{statistics.median(some):+.0%}", span, large


def _measured() -> str:
    by_group = defaultdict(list)
    for row in of_measurements():
        by_group[f"{row.case.model}, {row.case.precision}, {row.case.gpu}"].append(row)
    rows = [
        (
            name,
            len(some),
            f"{_error(some, lambda row: row.ours):.0%}",
            f"{_error(some, lambda row: row.theirs):.0%}",
        )
        for name, some in sorted(by_group.items())
    ]
    return _table(("Measured", "Points", "Error of Breakeven", "Error of AISimulate"), rows)


def _error(rows: Sequence[Compared], of: Callable[[Compared], float]) -> float:
    """Returns the mean error of an estimate, as a share of what was measured."""
    return statistics.mean(abs(of(row) / row.measured - 1) for row in rows if row.measured)


def _all() -> str:
    rows = []
    for row in of_grid():
        case, band = row.case, "unknown" if row.band is None else f"±{row.band:.0f}%"
        rows.append(
            (
                f"{case.model} ({case.precision})",
                f"{case.gpus} x {case.gpu}",
                f"{case.input_tokens:,} / {case.output_tokens:,}",
                f"{row.ours:,.0f} ({band})",
                f"{row.theirs:,.0f}",
                f"{row.difference:+.0%}",
            )
        )
    heads = ("Model", "GPUs", "Tokens in / out", "Breakeven (band)", "AISimulate", "Difference")
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines).replace(" --- ", "---")


def main() -> None:
    """Ask what is not known, then print the tables or write the page."""
    parser = argparse.ArgumentParser(description="Compares capacities with those of AISimulate.")
    parser.add_argument("python", nargs="?", help="interpreter that has AISimulate")
    parser.add_argument("--cases", type=int, default=10**6, help="most new cases to ask about")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    if options.python:
        ask(options.python, [*(case for case, _ in measured()), *grid()], options.cases)
    if options.page:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(_groups(), _measured(), _all(), sep="\n\n")


if __name__ == "__main__":
    main()
