"""Measures what the cost report adds to the time of a warm `pulumi preview`.

Two projects with the same resources and the same stack file are previewed in turn: the program as
it is, and one that deploys without ledger and cost report. The program as it is runs twice a round:
first with no kept answer, as after a change of the stack, then again with the answer kept, as
without a change and in the second half of `pulumi up`. Exits with 1 where a median of the paired
ratios is above its limit. Run by `make bench`, which puts Pulumi on PATH.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.pairs import is_within, pair_options

ROOT = Path(__file__).resolve().parents[1]
WITH_COST = (ROOT / "__main__.py").read_text(encoding="utf-8")
WITHOUT_COST = WITH_COST.replace(
    "from breakeven.program import main",
    "from breakeven.resources.deployment import deploy as main",
)
LIMIT = 1.3
UNCHANGED_LIMIT = 1.15


@dataclass(frozen=True)
class Taken:
    """What a command took, in seconds.

    Attributes:
        passed: By the clock.
        worked: Of all processors, by it and by the processes that it started.
    """

    passed: float
    worked: float


def processor_seconds() -> float:
    """Return what processes that this one started, and that have ended, took of processors."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Variant:
    """One project of the pair, with a state of its own."""

    name: str
    folder: Path
    caches: Path
    environ: dict[str, str]

    def pulumi(self, *arguments: str) -> Taken:
        """Run Pulumi in the project and time it."""
        started, worked = time.perf_counter(), processor_seconds()
        answer = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        taken = Taken(time.perf_counter() - started, processor_seconds() - worked)
        if answer.returncode != 0:
            sys.exit(
                f"error: `pulumi {' '.join(arguments)}` failed {self.name}\n"
                f"{answer.stdout}{answer.stderr}"
            )
        return taken


def prepare(scratch: Path, name: str, program: str, stack: str) -> Variant:
    """Lay out a project that shares this checkout's code, and make its stack."""
    folder = scratch / name / "project"
    state = scratch / name / "state"
    folder.mkdir(parents=True)
    state.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in ("components", "charts", "policies", ".venv"):
            (folder / entry.name).symlink_to(entry)
    shutil.copyfile(ROOT / "Pulumi.yaml", folder / "Pulumi.yaml")
    # A copy, because Pulumi writes its salt into the stack file.
    shutil.copytree(ROOT / "stacks", folder / "stacks")
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    environ = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "measured state holds no secret",
        "XDG_CACHE_HOME": str(scratch / name / "caches"),
    }
    environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    # On a user's machine Python keeps what it compiled; some containers forbid it.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    variant = Variant(name, folder, scratch / name / "caches", environ)
    variant.pulumi("stack", "init", stack)
    return variant


@dataclass(frozen=True)
class Round:
    """What three previews in turn took."""

    changed: Taken
    unchanged: Taken
    without: Taken


def measure(with_cost: Variant, without: Variant, stack: str, pairs: int) -> list[Round]:
    """Preview both projects in turn, and print each round."""
    preview = ("preview", "-s", stack)
    for variant in (with_cost, without):
        variant.pulumi(*preview)
    rounds = []
    for number in range(1, pairs + 1):
        shutil.rmtree(with_cost.caches, ignore_errors=True)
        row = Round(
            with_cost.pulumi(*preview), with_cost.pulumi(*preview), without.pulumi(*preview)
        )
        if not any(with_cost.caches.rglob("*.json")):
            sys.exit("error: no answer was kept, so nothing was measured of an unchanged stack")
        rounds.append(row)
        print(
            f"round {number}: changed stack {row.changed.passed:.2f} s, "
            f"unchanged {row.unchanged.passed:.2f} s, without cost {row.without.passed:.2f} s",
            flush=True,
        )
    return rounds


def main() -> int:
    """Measure, and judge the median ratios against their limits.

    Returns:
        The exit code.
    """
    if WITHOUT_COST == WITH_COST:
        sys.exit("error: __main__.py no longer has the line that this program replaces")
    parser = pair_options(__doc__, "make bench ARGS='--stack dev --pairs 11'", limit=LIMIT)
    parser.add_argument("--stack", default="dev", help="stack to preview (default: %(default)s)")
    parser.add_argument(
        "--unchanged-limit",
        type=float,
        default=UNCHANGED_LIMIT,
        help="the same of an unchanged stack (default: %(default)s)",
    )
    options = parser.parse_args()
    if shutil.which("pulumi") is None:
        sys.exit("error: no pulumi on PATH\n  next:    make bench")
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as scratch:
        with_cost = prepare(Path(scratch), "with-cost", WITH_COST, options.stack)
        without = prepare(Path(scratch), "without-cost", WITHOUT_COST, options.stack)
        rounds = measure(with_cost, without, options.stack, options.pairs)
    for name in ("changed", "unchanged", "without"):
        taken = [getattr(row, name) for row in rounds]
        print(
            f"median {name}: {statistics.median(each.passed for each in taken):.2f} s, "
            f"of processors {statistics.median(each.worked for each in taken):.2f} s"
        )
    changed = [row.changed.passed / row.without.passed for row in rounds]
    unchanged = [row.unchanged.passed / row.without.passed for row in rounds]
    verdicts = (
        is_within("changed stack, compared with no cost report", changed, options.limit),
        is_within("unchanged stack, likewise", unchanged, options.unchanged_limit),
    )
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
