"""Measure what honest requests see while one abuse at a time goes on.

Real Envoy, ratelimit and Valkey with what the hybrid stack renders; the engine is a stand-in that
answers after 50 ms. Clients, abuse, gateway and engine share this machine, so that part of what is
added is the machine's. It takes eight minutes. Run it as

    make bench-gateway-abuse
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.abuses import ABUSES, CHAT, asks
from bootstrap.cli import terminate
from tests.gateway.running import Cluster
from tests.gateway.stand_in import Faults

SECONDS, RUNS = 8.0, 3
RATE = 20
"""Honest requests a second."""
PATIENCE = 5.0
REPLICA = "127.0.0.11"
TEAMS = {
    name: {"tokensPerDay": 4_000_000_000, "requestsInFlight": 64} for name in ("honest", "abuser")
}


@dataclass(frozen=True)
class Seen:
    """What honest requests saw: the share that was answered, and seconds of those."""

    answered: float
    seconds: Sequence[float]

    def at(self, share: float) -> float:
        """Milliseconds that this share of the answers took at most."""
        times = sorted(self.seconds)
        return 1000 * times[int(share * (len(times) - 1))] if times else float("nan")


def _honest(cluster: Cluster, seconds: float) -> Seen:
    content = asks(cluster.model)
    headers = {"Authorization": "Bearer sk-honest", "Content-Type": "application/json"}

    def ask(at: float) -> float | None:
        time.sleep(max(0.0, at - time.monotonic()))
        try:
            connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=PATIENCE)
            connection.request("POST", CHAT, content, headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
        except (OSError, http.client.HTTPException):
            return None
        # From when it should have been sent: waiting for a place counts.
        return time.monotonic() - at if answer.status == http.HTTPStatus.OK else None

    begin = time.monotonic() + 0.1
    count = int(seconds * RATE)
    with ThreadPoolExecutor(128) as clients:
        found = list(clients.map(ask, [begin + number / RATE for number in range(count)]))
    times = [one for one in found if one is not None]
    return Seen(len(times) / count, times)


def main(wanted: Sequence[str]) -> None:
    """Prints a table of Markdown.

    Args:
        wanted: Parts of the names of abuses; all if empty.
    """
    names = [name for name in ABUSES if not wanted or any(part in name for part in wanted)]
    overrides: dict[str, object] = {
        "gateway.overflow.requestsPerReplica": 64,
        "replicas.targetRequests": 32,
    }
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), overrides, teams=TEAMS)
        try:
            cluster.set_replicas(REPLICA)
            cluster.replicas[REPLICA].faults = Faults(seconds_to_answer=0.05)
            _table(cluster, names)
        finally:
            cluster.close()


def _table(cluster: Cluster, names: Sequence[str]) -> None:
    begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    _honest(cluster, 2)
    calm = [_honest(cluster, SECONDS) for _ in range(RUNS)]
    base = {share: min(one.at(share) for one in calm) for share in (0.5, 0.95)}
    print("| abuse | answered | added, p50 (ms) | added, p95 (ms) | gateway: CPU s/s | MiB |")
    print("|---|---|---|---|---|---|")
    _row("none", cluster, calm, base, 0.0)
    gateway = cluster.processes["gateway"]
    for name in names:
        runs, cpu = [], gateway.cpu_seconds()
        for _ in range(RUNS):
            command = [sys.executable, "-m", "bench.abuses", name, str(cluster.port), cluster.model]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as abuse:
                for _ in abuse.stdout or ():  # its one line: it has begun
                    break
                runs.append(_honest(cluster, SECONDS))
                abuse.kill()
        _row(name, cluster, runs, base, (gateway.cpu_seconds() - cpu) / RUNS / (SECONDS + 0.5))
        time.sleep(1)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"\n({begun}, {os.cpu_count()} cores, load average at the end {load}; {RUNS} runs of")
    print(
        f"{SECONDS:.0f} s at {RATE} honest requests a second; without abuse p50 {base[0.5]:.0f} ms,"
    )
    print(f"p95 {base[0.95]:.0f} ms)")


def _row(
    name: str, cluster: Cluster, runs: Sequence[Seen], base: dict[float, float], cpu: float
) -> None:
    def cells(values: Sequence[str]) -> str:
        return ", ".join(values)

    shown = [
        cells([f"{one.answered:.1%}" for one in runs]),
        *(cells([f"{one.at(share) - base[share]:+.0f}" for one in runs]) for share in base),
        f"{cpu:.2f}",
        f"{cluster.processes['gateway'].resident_mib():.0f}",
    ]
    print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    main(sys.argv[1:])
