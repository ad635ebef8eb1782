"""Measures what the cost report adds to the time of a warm `pulumi preview`.

Two projects with the same resources and the same stack file are previewed in turn: the program as
it is, and one that deploys without ledger and cost report. Exits with 1 where the median of the
paired ratios is above the limit. Run by `make bench`, which puts Pulumi on PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WITH_COST = (ROOT / "__main__.py").read_text(encoding="utf-8")
WITHOUT_COST = WITH_COST.replace(
    "from breakeven.program import main",
    "from breakeven.resources.deployment import deploy as main",
)
DEFAULT_PAIRS = 7
DEFAULT_LIMIT = 1.3


@dataclass(frozen=True)
class Variant:
    """One project of the pair, with a state of its own."""

    name: str
    folder: Path
    environ: dict[str, str]

    def pulumi(self, *arguments: str) -> float:
        """Run Pulumi in the project and time it.

        Returns:
            The seconds it took.
        """
        started = time.perf_counter()
        answer = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if answer.returncode != 0:
            sys.exit(
                f"error: `pulumi {' '.join(arguments)}` failed {self.name}\n"
                f"{answer.stdout}{answer.stderr}"
            )
        return seconds


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
    }
    environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    variant = Variant(name, folder, environ)
    variant.pulumi("stack", "init", stack)
    return variant


def measure(with_cost: Variant, without: Variant, stack: str, pairs: int) -> list[float]:
    """Preview both projects in turn, and print each pair's ratio and the medians.

    Returns:
        The ratio of each pair.
    """
    preview = ("preview", "-s", stack)
    for variant in (with_cost, without):
        variant.pulumi(*preview)
    rows = []
    for number in range(1, pairs + 1):
        row = with_cost.pulumi(*preview), without.pulumi(*preview)
        rows.append(row)
        print(
            f"pair {number}: with cost {row[0]:.2f} s, without {row[1]:.2f} s, "
            f"ratio {row[0] / row[1]:.3f}",
            flush=True,
        )
    print(f"median with cost {statistics.median(row[0] for row in rows):.2f} s")
    print(f"median without   {statistics.median(row[1] for row in rows):.2f} s")
    return [row[0] / row[1] for row in rows]


def main() -> int:
    """Measure, and judge the median ratio against the limit.

    Returns:
        The exit code.
    """
    if WITHOUT_COST == WITH_COST:
        sys.exit("error: __main__.py no longer has the line that this program replaces")
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  make bench ARGS='--stack dev --pairs 11'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="dev", help="stack to preview (default: %(default)s)")
    parser.add_argument(
        "--pairs", type=int, default=DEFAULT_PAIRS, help="previews of each (default: %(default)s)"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=DEFAULT_LIMIT,
        help="median ratio above which the exit code is 1 (default: %(default)s)",
    )
    options = parser.parse_args()
    if shutil.which("pulumi") is None:
        sys.exit("error: no pulumi on PATH\n  next:    make bench")
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as scratch:
        with_cost = prepare(Path(scratch), "with-cost", WITH_COST, options.stack)
        without = prepare(Path(scratch), "without-cost", WITHOUT_COST, options.stack)
        ratios = measure(with_cost, without, options.stack, options.pairs)
    median = statistics.median(ratios)
    verdict = "within" if median <= options.limit else "ABOVE"
    print(f"median ratio     {median:.3f}, {verdict} the limit of {options.limit}")
    return 0 if median <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
