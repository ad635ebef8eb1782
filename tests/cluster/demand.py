"""Demand as the autoscaler sees it: vLLM's two series of requests, without a vLLM."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rig.api import Api
from rig.cluster import Rig
from tests.cluster.deploying import DEPLOYMENT, NAMESPACE, destroy, up, wait_for
from tests.project_copy import Project
from tests.recording import settings_of

_SCALED_OBJECT = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/model"


class Demand:
    """Requests that run, of all replicas together; none waits.

    Attributes:
        requests: How many.
        clock_off_seconds: How far the clock of whoever dates the series is ahead; 0 where they are
            not dated, as those of vLLM are not.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.requests = 0
        self.clock_off_seconds = 0

    def exposed(self) -> str:
        """The series as Prometheus reads them, with the labels that a PodMonitor adds."""
        labels = f'{{namespace="{NAMESPACE}",model_name="{self.model}"}}'
        off = self.clock_off_seconds
        date = f" {round((time.time() + off) * 1000)}" if off else ""
        return (
            f"vllm:num_requests_running{labels} {self.requests}{date}\n"
            f"vllm:num_requests_waiting{labels} 0{date}\n"
        )


@contextmanager
def demand(rig: Rig, model: str) -> Iterator[Demand]:
    """Lets Prometheus read a demand that the test sets."""
    shown = Demand(model)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = shown.exposed().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    targets = rig.folder.targets / "demand.json"
    targets.write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_address[1]}"]}]))
    try:
        yield shown
    finally:
        targets.unlink()
        server.shutdown()
        server.server_close()
        thread.join()


def hasten(api: Api) -> None:
    """Lets the autoscaler look every two seconds and follow at once, both up and down."""
    at_once = {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 1}],
    }
    behaviour = {"scaleUp": at_once, "scaleDown": at_once}
    advanced = {"horizontalPodAutoscalerConfig": {"behavior": behaviour}}
    api.merge(_SCALED_OBJECT, {"spec": {"pollingInterval": 2, "advanced": advanced}})


def wanted(api: Api) -> int:
    """Returns the replicas that the autoscaler wants."""
    return int(api.get(DEPLOYMENT)["spec"]["replicas"])


def stays(api: Api, replicas: int, *, seconds: float = 20) -> None:
    """Fails once the autoscaler wants another number; by default it looks ten times meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert wanted(api) == replicas
        time.sleep(0.5)


@contextmanager
def scaled(project: Project, rig: Rig, api: Api, stack: str, replicas: int) -> Iterator[Demand]:
    """Deploys a stack that scales fast, and lets demand bring it to some replicas.

    After the test, which may change the demand, the stack is removed.
    """
    settings = settings_of(stack)
    with demand(rig, settings.model.facts.name) as shown:
        up(project, stack)
        hasten(api)
        shown.requests = replicas * settings.replicas.target_requests
        wait_for(f"{replicas} replicas", lambda: wanted(api) == replicas)
        yield shown
        destroy(project, stack)


def condition(api: Api, kind: str) -> str:
    """Returns the status of one of KEDA's conditions: True, False or Unknown."""
    status: dict[str, Any] = api.get(_SCALED_OBJECT)["status"]
    [found] = [each["status"] for each in status["conditions"] if each["type"] == kind]
    return str(found)
