"""Stands in for vLLM and the gateway: simulates the requests of every replica, answers /metrics.

No GPU is here, so no replica serves. Each pod that is ready gets a simulation of single requests
(that of tests/unit/cost/fleet/simulation/discrete_event.py) and is scraped under the names and
labels that a real vLLM and a PodMonitor give. A pod that was asked to stop ends what it has, as
vLLM's drain does, and only then may kwok delete it. Where a configuration overflows, the gateway is
simulated by its one rule: what ready replicas should not hold goes to an API.
"""

from __future__ import annotations

import http.server
import json
import math
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.manifests.serving.labels import ENGINE_LABELS
from rig.api import Api, ApiError
from tests.unit.cost.fleet.simulation.discrete_event import EngineReplica

DRAINED = "rig.breakeven/drained"
"""Annotation of a pod whose last request has ended; a Stage waits for it."""

_SELECTOR = ",".join(f"{key}={value}" for key, value in ENGINE_LABELS.items())


class VllmStandin:
    """The requests of a stack's replicas, on the clock of the simulation.

    Attributes:
        ready: Replicas that answer.
        unserved: Requests that were cut.
        diverted: Requests that went to an API.
        starts: Real seconds from a replica's pod to its first request, one for each replica.

    Args:
        api: The cluster.
        namespace: Of the stack.
        model: Value of the label model_name.
        configuration: How replicas answer.
        seed: Of the lengths of requests.
    """

    def __init__(
        self, api: Api, namespace: str, model: str, configuration: FleetConfiguration, seed: int
    ) -> None:
        self.ready = 0
        self.unserved = 0
        self.diverted = 0
        self._came = 0
        self.starts: list[float] = []
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._namespace = f'namespace="{namespace}",to="own",reason=""'
        self._labels = f'model_name="{model}",namespace="{namespace}"'
        self._api = api
        self._configuration = configuration
        self._random = np.random.default_rng(seed)
        self._clock = simpy.Environment()
        self._engines: dict[str, EngineReplica] = {}
        self._waiting_for_a_replica: list[float] = []
        self._text = self._gateway_series()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """HOST:PORT of /metrics."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def step(self, until: float, arrivals: NDArray[np.float64]) -> None:
        """Move on: look at the pods, take requests, and end those whose time has come.

        Args:
            until: Seconds of the simulation's clock.
            arrivals: Seconds at which requests come, from the last call to `until`.
        """
        serving = self._serving()
        self.ready = len(serving)
        for moment in np.sort(arrivals).tolist():
            if moment > self._clock.now:
                self._clock.run(until=moment)
            self._came += 1
            self._waiting_for_a_replica.append(moment)
            self._route(serving)
        self._route(serving)
        if until > self._clock.now:
            self._clock.run(until=until)
        self._text = self._gateway_series() + "".join(
            self._series(name, each) for name, each in self._engines.items()
        )

    def _serving(self) -> list[EngineReplica]:
        """Look at the pods: those that stop drain, and those that are ready are returned."""
        pods = {
            pod["metadata"]["name"]: pod
            for pod in self._api.items(f"{self._pods}?labelSelector={_SELECTOR}")
        }
        serving = []
        for name, pod in pods.items():
            stopping = "deletionTimestamp" in pod["metadata"]
            if _is_ready(pod) and not stopping:
                if name not in self._engines:
                    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
                    self.starts.append((datetime.now(tz=UTC) - made).total_seconds())
                serving.append(self._engine(name))
            elif stopping:
                self._drain(name, pod)
        for name in self._engines.keys() - pods.keys():
            self.unserved += self._engines.pop(name).stop()
        return serving

    def _engine(self, name: str) -> EngineReplica:
        if name not in self._engines:
            speed = self._configuration.speed
            random = np.random.default_rng(len(self._engines))
            self._engines[name] = EngineReplica(self._clock, speed, random, lambda *_: None)
        return self._engines[name]

    def _route(self, serving: list[EngineReplica]) -> None:
        """Send what waits to the replica with the fewest requests, or to the API."""
        limit = self._configuration.overflow_requests
        while self._waiting_for_a_replica:
            least = min(serving, key=lambda engine: engine.in_flight, default=None)
            held = math.inf if least is None else least.in_flight
            if held >= limit and limit < math.inf:
                self._waiting_for_a_replica.pop(0)
                self.diverted += 1
            elif least is not None:
                moment = self._waiting_for_a_replica.pop(0)
                least.add(moment, float(self._random.exponential()))
            else:
                return

    def _drain(self, name: str, pod: Mapping[str, Any]) -> None:
        engine = self._engines.get(name)
        if engine is not None:
            if engine.stopping is None:
                engine.stopping = self._clock.now
            overdue = self._clock.now - engine.stopping >= self._configuration.grace_seconds
            if engine.in_flight and not overdue:
                return
        if DRAINED in pod["metadata"].get("annotations", {}):
            return
        try:
            self._api.merge(
                f"{self._pods}/{name}", {"metadata": {"annotations": {DRAINED: "true"}}}
            )
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:  # deleted meanwhile
                raise

    def _series(self, pod: str, engine: EngineReplica) -> str:
        labels = f'{{{self._labels},pod="{pod}"}}'
        return (
            f"vllm:num_requests_running{labels} {len(engine.running)}\n"
            f"vllm:num_requests_waiting{labels} {len(engine.queue)}\n"
        )

    def _gateway_series(self) -> str:
        if self._configuration.overflow_requests == math.inf:
            return ""
        labels = f'{{{self._namespace},envoy_cluster_name="to-own"}}'
        return f"envoy_cluster_upstream_rq_total{labels} {self._came}\n"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        standin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = standin._text.encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing of each scrape."""

        return Handler


def kubelet_stages(api: Api, load_milliseconds: int) -> dict[str, Any]:
    """Let kwok's pods take as long to start as weights and engine do, and to stop as they drain.

    Returns:
        The stage of deletion as it was, for `restore`.
    """
    path = "/apis/kwok.x-k8s.io/v1alpha1/stages"
    api.merge(
        f"{path}/pod-ready",
        {"spec": {"delay": {"durationMilliseconds": load_milliseconds}}},
    )
    before = api.get(f"{path}/pod-delete")["spec"]["selector"]["matchExpressions"]
    drained = {"key": f'.metadata.annotations["{DRAINED}"]', "operator": "Exists"}
    api.merge(
        f"{path}/pod-delete", {"spec": {"selector": {"matchExpressions": [*before, drained]}}}
    )
    return {"matchExpressions": before}


def restore(api: Api, selector: Mapping[str, Any]) -> None:
    """Delete pods at once again, whatever they run."""
    api.merge("/apis/kwok.x-k8s.io/v1alpha1/stages/pod-delete", {"spec": {"selector": selector}})


def target_file(address: str) -> str:
    """What Prometheus' file discovery reads."""
    return json.dumps([{"targets": [address]}])


def arrivals_within(count: float, number: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Spread the requests of a step over it; seconds of the simulation's clock."""
    return np.asarray((number + random.random(int(count))) * STEP_SECONDS)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod["status"].get("conditions", ())
    )
