"""Pods that tests look out of: clients, and whoever else calls what a stack offers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kubernetes import client, config
from kubernetes.stream import stream

from node import images
from node.starting import Started
from rig.api import Api
from tests.cluster.deploying import wait_for

_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@cache
def client_of(node: Started) -> client.CoreV1Api:
    """The client by which programs are run in pods, one for all of them."""
    connect: Any = config.new_client_from_config  # which has no types
    return client.CoreV1Api(connect(str(node.kubeconfig)))


@dataclass
class Pod:
    """A container in which programs can be run."""

    node: Started
    namespace: str
    name: str

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def python(self, script: str, *arguments: str, seconds: float = 120) -> str:
        """Runs a script inside, and returns what it printed on either stream."""
        answer = stream(
            client_of(self.node).connect_get_namespaced_pod_exec,
            self.name,
            self.namespace,
            command=["python3", "-c", script, *arguments],
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _preload_content=False,
        )
        answer.run_forever(timeout=seconds)
        printed = str(answer.read_all())
        answer.close()
        return printed

    def json(self, script: str, *arguments: str, seconds: float = 120) -> Any:
        """The same, of a script whose last line is JSON."""
        printed = self.python(script, *arguments, seconds=seconds)
        return json.loads(printed.strip().rpartition("\n")[2])


def is_ready(api: Api, path: str) -> bool:
    """Whether a pod is there and ready."""
    status: dict[str, Any] = (api.find(path) or {}).get("status", {})
    conditions = {each["type"]: each["status"] for each in status.get("conditions", ())}
    return conditions.get("Ready") == "True"


def make_pod(
    node: Started, namespace: str, name: str, *, labels: Mapping[str, str] | None = None
) -> Pod:
    """Makes a pod with Python that does nothing, and waits until programs can be run in it."""
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "python",
                        "image": images.reference(node.places, images.DEBIAN),
                        "command": ["sleep", "infinity"],
                        "securityContext": _RESTRICTED,
                    }
                ],
            },
        }
    )
    pod = Pod(node, namespace, name)
    wait_for(f"pod {namespace}/{name}", lambda: is_ready(node.api, pod.path), 60)
    return pod


@dataclass
class Background:
    """A script that runs in a pod while the test goes on."""

    pod: Pod
    script: str
    arguments: tuple[str, ...]
    seconds: float = 300
    answer: Any = None
    _thread: threading.Thread | None = None

    def start(self) -> Background:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        time.sleep(1)
        return self

    def _run(self) -> None:
        self.answer = self.pod.json(self.script, *self.arguments, seconds=self.seconds)

    def finish(self) -> Any:
        """Waits until it has ended, and returns what it printed."""
        assert self._thread is not None
        self._thread.join(self.seconds)
        assert self.answer is not None, "the script did not end in time"
        return self.answer
