"""Measure the gateway beside bare Envoy and beside no gateway: delay of chunks, CPU, first token.

Real Envoy, ratelimit and Valkey with what the hybrid stack renders; the engine is a stand-in
(bench/load), on the same machine, so that ratios are what to look at. Run it as

    python3 tools/bootstrap run env PYTHONPATH=tools python -m bench.gateway [STREAMS ... | peak]

`peak` asks for as many streams as one pod of the hybrid example gets in its busiest minute.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bootstrap.cli import terminate
from breakeven.planning.offline import estimate_stack
from tests.gateway.environment import envoy
from tests.gateway.processes import Process, free_ports, is_open
from tests.gateway.running import TODAY, Cluster

REPLICA = "127.0.0.11"
TOKENS, RATE = 250, 50
CLIENTS, REQUESTS = 4, 2000
TEAMS = {"product": {"tokensPerDay": 4_000_000_000, "usdPerMonth": "100000"}}

_NO_LIMIT: dict[str, object] = {
    "gateway.overflow.requestsPerReplica": 4096,
    "replicas.targetRequests": 48,
}


@dataclass(frozen=True)
class Way:
    """One way from client to engine, and the programs on it."""

    name: str
    address: str
    programs: tuple[Process, ...]

    def cpu(self) -> float:
        """CPU seconds that its programs have used."""
        return sum(one.cpu_seconds() for one in self.programs)


def streams_at_peak() -> int:
    """Returns the streams of one pod in the busiest minute of the hybrid example's week."""
    peak = estimate_stack("hybrid", TODAY).gateway_peak
    if peak is None:
        msg = "the hybrid example has no gateway"
        raise RuntimeError(msg)
    print(
        f"busiest minute: {peak.requests_per_second:.1f} requests and {peak.chunks_per_second:,.0f}"
        f" tokens a second, {peak.pods} pods"
    )
    return math.ceil(peak.chunks_per_second / peak.pods / RATE)


def main(streams: list[int]) -> None:
    """Prints one line for each way and load."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = folder / "load"
        source = Path(__file__).with_name("load")
        subprocess.run(["go", "build", "-o", str(load), "."], cwd=source, check=True)
        cluster = Cluster(folder, _NO_LIMIT, teams=TEAMS)
        engine = Process(
            [load, "serve", f"{REPLICA}:{cluster.engine_port}", str(RATE)],
            folder / "engine.log",
            {},
        )
        bare = None
        try:
            cluster.write_names(REPLICA)
            cluster.wait_for_ready(REPLICA)
            bare_port = free_ports(1)[0]
            bare = _bare(folder, bare_port, cluster.engine_port)
            ways = (
                Way("direct", f"{REPLICA}:{cluster.engine_port}", ()),
                Way("bare Envoy", f"127.0.0.1:{bare_port}", (bare,)),
                Way("gateway", f"127.0.0.1:{cluster.port}", tuple(cluster.processes.values())),
            )
            for count in streams:
                for way in ways:
                    _streams(load, way, cluster.model, count)
            for way in ways:
                _whole(load, way, cluster.model)
        finally:
            for process in (engine, bare):
                if process is not None:
                    process.stop()
            cluster.close()


def _streams(load: Path, way: Way, model: str, count: int) -> None:
    before = way.cpu()
    found = _asked(load, "ask", way.address, "sk-product", model, count, TOKENS)
    used = (way.cpu() - before) / max(found["chunks"], 1) * 1e6
    share = found["late"] / max(found["chunks"], 1)
    print(
        f"{way.name:10} {count:4} streams: {share:.2%} late, p50 {found['p50_ms']:.1f} ms, p99"
        f" {found['p99_ms']:.1f} ms, at most {found['max_ms']:.0f} ms; first token p50"
        f" {found['first_p50_ms']:.2f} ms; {used:.0f} CPU-s per 1M chunks; {found['failed']} failed"
    )


def _whole(load: Path, way: Way, model: str) -> None:
    before = way.cpu()
    found = _asked(load, "whole", way.address, "sk-product", model, CLIENTS, REQUESTS)
    used = (way.cpu() - before) / max(found["requests"], 1) * 1000
    print(
        f"{way.name:10} whole: p50 {found['p50_ms']:.2f} ms, p99 {found['p99_ms']:.1f} ms;"
        f" {used:.3f} CPU-s per 1,000 requests; {found['failed']} failed"
    )


def _asked(load: Path, *arguments: object) -> dict[str, Any]:
    words = [str(load), *(str(one) for one in arguments)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _bare(folder: Path, port: int, engine_port: int) -> Process:
    """Envoy that only passes on."""

    def address(host: str, port: int) -> dict[str, Any]:
        return {"socket_address": {"address": host, "port_value": port}}

    types = "type.googleapis.com/envoy.extensions.filters"
    router = {"@type": f"{types}.http.router.v3.Router"}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "http_filters": [{"name": "router", "typed_config": router}],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"prefix": "/"}, "route": {"cluster": "own", "timeout": "0s"}}
                    ],
                }
            ]
        },
    }
    many = {"max_connections": 10**6, "max_requests": 10**6, "max_pending_requests": 10**6}
    endpoints = [{"endpoint": {"address": address(REPLICA, engine_port)}}]
    bootstrap = {
        "static_resources": {
            "listeners": [
                {
                    "name": "bare",
                    "address": address("127.0.0.1", port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [
                {
                    "name": "own",
                    "type": "STATIC",
                    "circuit_breakers": {"thresholds": [many]},
                    "load_assignment": {
                        "cluster_name": "own",
                        "endpoints": [{"lb_endpoints": endpoints}],
                    },
                }
            ],
        }
    }
    file = folder / "bare.yaml"
    file.write_text(yaml.safe_dump(bootstrap))
    arguments = ["--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"]
    process = Process([envoy(), "-c", file, *arguments], folder / "bare.log", {})
    process.wait_until(lambda: is_open(port), "bare Envoy")
    return process


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    if sys.argv[1:] == ["peak"]:
        main([streams_at_peak()])
    else:
        main([int(one) for one in sys.argv[1:]] or [40, 200])
