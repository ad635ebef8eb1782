"""Compare the processor time of commands with that of another commit, in pairs.

Both are run in turn by this environment's Python, so that a busy machine slows both. Exits with 1
where the median ratio of a command is above the limit.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.pairs import is_within, pair_options

ROOT = Path(__file__).resolve().parents[1]
FIRST_EDITION = "8919cfc"
COMMANDS = ("estimate aws-prod", "recommend aws-prod")
LIMIT = 1.0


def processor_seconds(checkout: Path, command: str) -> float:
    """Run a command of a checkout.

    Returns:
        The processor time that it took, in seconds, its own and the system's.
    """
    start = "components/breakeven/cli/start.py"
    packages, module = ("components", "breakeven.cli.start")
    if not (checkout / start).is_file():
        packages, module = (".", "components.cli.start")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(
        [sys.executable, "-P", "-c", f"from {module} import main; main()", *command.split()],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout / packages), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if answer.returncode != 0:
        sys.exit(f"error: `breakeven {command}` failed in {checkout}\n{answer.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(before: Path, command: str, pairs: int) -> list[float]:
    """Run a command of both checkouts in turn and print the pairs.

    Returns:
        The ratios, this checkout's time over the other one's.
    """
    for checkout in (before, ROOT):
        processor_seconds(checkout, command)  # so that both have compiled their modules
    rows = []
    for number in range(1, pairs + 1):
        old, new = processor_seconds(before, command), processor_seconds(ROOT, command)
        rows.append((old, new))
        print(f"{command}, pair {number}: before {old:.2f} s, now {new:.2f} s", flush=True)
    print(
        f"{command}: median before {statistics.median(old for old, _ in rows):.2f} s, "
        f"now {statistics.median(new for _, new in rows):.2f} s",
        flush=True,
    )
    return [new / old for old, new in rows]


def main() -> int:
    """Measure each command.

    Returns:
        The exit code.
    """
    parser = pair_options(
        __doc__, "make bench-commands ARGS='--before HEAD~20 --pairs 9'", limit=LIMIT
    )
    parser.add_argument(
        "--before", default=FIRST_EDITION, help="commit to compare with (default: %(default)s)"
    )
    options = parser.parse_args()
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as scratch:
        before = Path(scratch) / "before"
        subprocess.run([*git, "add", "--quiet", "--detach", before, options.before], check=True)
        try:
            verdicts = [
                is_within(command, compare(before, command, options.pairs), options.limit)
                for command in COMMANDS
            ]
        finally:
            subprocess.run([*git, "remove", "--force", before], check=True)
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
