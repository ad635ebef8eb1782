"""Compares the planned curve of first tokens under load with that of a real vLLM on this machine.

Before and after each load the times of the engine are measured with nothing else in flight; their
mean goes into the arithmetic of the estimate, the simulation of single requests and that of single
engine steps. Requests come at random, at several shares of the rate that the estimate gives a full
replica. Prompts differ as those of docs/simulation.md do, at a quarter of the size.

Exits with 1 where the share in time does not fall with the load, or where the real and the planned
knee are further apart than the limit. The machine should have nothing else to do. Run by `make
bench-first-token`, which installs vLLM.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from bootstrap import vllm as installation
from bootstrap.cli import terminate
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from tests.vllm import first_tokens as measured
from tests.vllm.rendered import engine_of
from tests.vllm.server import Server, starting

STACK = "dev"
LOADS = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2)
PATIENCE = tuple(np.geomspace(0.005, 60.0, 120).tolist())
KNEE = 0.9
LARGEST_FACTOR = 1.3


def row(server: Server, load: float, seconds: float, times: float) -> tuple[float, ...]:
    """Measure the unloaded engine, load it, and print both.

    Returns:
        Shares in time: planned, by request, by step, real.
    """
    before = asyncio.run(measured.measure_unloaded(server))
    rate = load * before.speed().planned_requests_per_second
    real = asyncio.run(measured.first_tokens(server, rate, seconds, seed=1))
    # A machine that others use may have had another speed meanwhile.
    unloaded = before.between(asyncio.run(measured.measure_unloaded(server)))
    speed = unloaded.speed()
    objective = times * speed.first_token_seconds
    step = measured.by_step(unloaded, rate, seconds)
    request = measured.by_request(speed, rate)
    planned = measured.planned_shares(speed, rate, (*PATIENCE, objective))
    curve = np.maximum.accumulate(planned[:-1])
    others = (request, step, real)
    texts = [
        f"{rate / speed.planned_requests_per_second:.0%}",
        str(len(real)),
        f"{unloaded.decode_alone * 1000:.1f} / {unloaded.decode_full * 1000:.1f}",
        f"{1 / unloaded.token:,.0f}",
    ]
    for quantile in (0.5, 0.95):
        values = (
            float(np.interp(quantile, curve, PATIENCE, right=float("inf"))),
            *(float(np.quantile(one, quantile)) for one in others),
        )
        texts.append(" / ".join(f"{value / speed.first_token_seconds:.1f}" for value in values))
    shares = (float(planned[-1]), *(float((one <= objective).mean()) for one in others))
    texts.append(" / ".join(f"{share:.1%}" for share in shares))
    print(f"| {' | '.join(texts)} |", flush=True)
    return shares


def main() -> int:
    """Measure, and judge by the shape.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  make bench-first-token ARGS='--seconds 20'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=float, default=40, help="of each load (default: %(default)s)"
    )
    parser.add_argument(
        "--objective",
        type=float,
        default=5,
        help="to the first token, in times of a mean prompt alone (default: %(default)s)",
    )
    options = parser.parse_args()
    vllm = installation.find(Layout.of(ROOT, os.environ))
    if vllm is None:
        sys.exit("error: no vLLM for CPUs is installed\n  next:    make bench-first-token")
    with (
        tempfile.TemporaryDirectory(prefix="breakeven-bench-") as folder,
        starting(
            engine_of(STACK),
            vllm,
            Path(folder),
            without=measured.WITHOUT,
            added=measured.FLAGS,
        ) as server,
    ):
        server.wait_until_ready()
        print(
            "planned / by request / by step / real; p50 and p95 in times of the first token of a "
            "mean prompt alone\n\n"
            "| load | requests | step alone / full, ms | prompt tokens a second "
            "| p50 | p95 | in time |\n|---|---|---|---|---|---|---|"
        )
        found = [row(server, load, options.seconds, options.objective) for load in LOADS]
    columns = list(zip(*found, strict=True))
    knees = [measured.knee(LOADS, column, KNEE) for column in columns]
    print(f"\n{KNEE:.0%} in time up to " + " / ".join(f"{knee:.0%}" for knee in knees))
    falls = all(later <= earlier + 0.02 for earlier, later in pairwise(columns[-1]))
    apart = max(knees[0] / knees[-1], knees[-1] / knees[0])
    print(f"planned and real knee differ by the factor {apart:.2f}, limit {LARGEST_FACTOR}")
    return 0 if falls and apart <= LARGEST_FACTOR else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
