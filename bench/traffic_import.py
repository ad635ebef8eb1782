"""Measures time and peak memory of `breakeven traffic import`, and how they grow.

Logs of a fortnight with a prompt in each row are generated, as CSV, JSONL and gz, and each is
imported in a process of its own. Exits with 1 where ten times the rows take more than a tenth more
memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = datetime(2026, 11, 2, tzinfo=UTC)
FORTNIGHT_SECONDS = 14 * 86_400
PROMPT = "Summarise the following minutes of our meeting in three sentences. " * 3
IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from breakeven.traffic.importer import ImportOptions, import_logs
from breakeven.traffic.profile import measure

options = ImportOptions(
    kind=None, columns={}, zone=UTC, latest=datetime.now(UTC).timestamp() + 86_400,
    max_bad_percent=1,
)
measure(import_logs([Path(sys.argv[1])], options, lambda count: None).tally, UTC)
"""
MEMORY_LIMIT = 1.1


def requests(rows: int) -> Iterator[tuple[str, int, int, int]]:
    """Generate requests, evenly over a fortnight.

    Yields:
        Time, input, output and cached tokens.
    """
    lengths = random.Random(1)  # noqa: S311 -- lengths of a benchmark, no secret
    for number in range(rows):
        moment = START + timedelta(seconds=number * FORTNIGHT_SECONDS / rows)
        read = lengths.randrange(100, 3_000)
        yield moment.isoformat(), read, lengths.randrange(10, 600), read // 3


def as_csv(rows: int) -> Iterator[str]:
    """Write requests as lines of CSV."""
    yield "created_at,prompt,prompt_tokens,completion_tokens,cached_tokens\n"
    for moment, read, wrote, cached in requests(rows):
        yield f'{moment},"{PROMPT}",{read},{wrote},{cached}\n'


def as_jsonl(rows: int) -> Iterator[str]:
    """Write requests as lines of JSON."""
    for moment, read, wrote, cached in requests(rows):
        usage = {
            "prompt_tokens": read,
            "completion_tokens": wrote,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        yield json.dumps({"created_at": moment, "prompt": PROMPT, "usage": usage}) + "\n"


def measure(path: Path) -> tuple[float, float]:
    """Import a log in a process of its own.

    Returns:
        Seconds, and peak memory in MiB.
    """
    before = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", IMPORT, str(path)], cwd=ROOT)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"error: the import of {path.name} failed")
    return time.perf_counter() - before, used.ru_maxrss / 1024


def main() -> int:
    """Measure every form at both sizes, and judge the growth of memory.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  .venv/bin/python bench/traffic_import.py --rows 100000",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the larger log (default: %(default)s)"
    )
    options = parser.parse_args()
    forms = {"log.csv": as_csv, "log.jsonl": as_jsonl, "log.csv.gz": as_csv}
    within = True
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as scratch:
        for name, lines in forms.items():
            figures = []
            for rows in (options.rows // 10, options.rows):
                path = Path(scratch) / name
                with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
                    file.writelines(lines(rows))
                seconds, memory = measure(path)
                figures.append((seconds, memory))
                print(
                    f"{name:11} {rows:>10,} rows {path.stat().st_size / 2**20:>7.1f} MiB "
                    f"{seconds:>7.2f} s {memory:>7.1f} MiB at the peak",
                    flush=True,
                )
            time_ratio = figures[1][0] / figures[0][0]
            memory_ratio = figures[1][1] / figures[0][1]
            within &= memory_ratio <= MEMORY_LIMIT
            print(f"{name:11} time x {time_ratio:.1f}, memory x {memory_ratio:.3f}")
    print(f"memory {'within' if within else 'ABOVE'} the limit of x {MEMORY_LIMIT}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
