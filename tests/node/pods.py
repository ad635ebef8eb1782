"""Pods that tests look out of: clients, and whoever else calls what a stack offers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from kubernetes import client, config
from kubernetes.stream import stream

from node import images
from node.places import NAME
from node.starting import Started
from rig.api import Api
from tests.cluster.deploying import wait_for

_ENDED = ("Succeeded", "Failed")
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
    """A container in which programs can be run; its name is needed where a pod has several."""

    node: Started
    namespace: str
    name: str
    container: str | None = None

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def python(self, script: str, *arguments: str, seconds: float = 120) -> str:
        """Runs a script inside, and returns what it printed on either stream."""
        answer = stream(
            client_of(self.node).connect_get_namespaced_pod_exec,
            self.name,
            self.namespace,
            **({"container": self.container} if self.container else {}),
            command=["python3", "-c", script, *arguments],
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _preload_content=False,
        )
        try:
            answer.run_forever(timeout=seconds)
            return str(answer.read_all())
        finally:
            answer.close()
            # Once the other side has closed it, the client takes the socket for closed.
            answer.sock.shutdown()

    def log(self) -> str:
        """What its container has printed so far."""
        # As it is: the client would turn JSON into Python's own notation.
        options: dict[str, Any] = {"_preload_content": False}
        if self.container:
            options["container"] = self.container
        read: Any = client_of(self.node).read_namespaced_pod_log(
            self.name, self.namespace, **options
        )
        return str(read.data.decode())

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
    pod = _apply(node, namespace, name, ("sleep", "infinity"), labels or {})
    wait_for(f"pod {namespace}/{name}", lambda: is_ready(node.api, pod.path), 60)
    return pod


def _apply(
    node: Started, namespace: str, name: str, command: Sequence[str], labels: Mapping[str, str]
) -> Pod:
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": False,
                # The first node, which no test takes away.
                "nodeSelector": {"kubernetes.io/hostname": NAME},
                "containers": [
                    {
                        "name": "python",
                        "image": images.reference(node.places, images.DEBIAN),
                        "command": list(command),
                        "securityContext": _RESTRICTED,
                    }
                ],
            },
        }
    )
    return Pod(node, namespace, name)


_numbers = count(1)


@dataclass
class Background:
    """A script that runs in a pod of its own, beside another one, while the test goes on.

    What it prints is read from its log: a connection that is cut takes nothing with it.
    """

    pod: Pod
    script: str
    arguments: tuple[str, ...]
    seconds: float = 300
    _own: Pod | None = None

    def start(self) -> Background:
        """Starts it, and waits until it can reach what it asks, which it says."""
        node, name = self.pod.node, f"{self.pod.name}-{next(_numbers)}"
        command = ("python3", "-c", self.script, *self.arguments)
        self._own = _apply(node, self.pod.namespace, name, command, {})
        wait_for(f"pod {name} to run", lambda: self._phase() != "Pending", 60)
        wait_for(f"pod {name} to begin", self._log, 60)
        return self

    def _phase(self) -> str:
        assert self._own is not None
        found: dict[str, Any] = self._own.node.api.find(self._own.path) or {}
        return str(found.get("status", {}).get("phase", "Pending"))

    def _log(self) -> str:
        assert self._own is not None
        return self._own.log()

    def stop(self) -> Any:
        """Lets it end what it has begun (`LOAD`), and returns what it printed."""
        assert self._own is not None
        self._own.python("open('/tmp/stop', 'w')")
        return self.finish()

    def finish(self) -> Any:
        """Waits until it has ended, and returns what it printed."""
        own = self._own
        assert own is not None
        wait_for("the end of a script", lambda: self._phase() in _ENDED, self.seconds)
        printed = self._log()
        own.node.api.delete(own.path)
        return json.loads(printed.strip().rpartition("\n")[2])


def said(answer: Mapping[str, Any]) -> str:
    """Says what came of requests (`LOAD`): how many of which status, lost ones, longest wait."""
    statuses = dict(answer["statuses"])
    lost = statuses.pop("0", 0)
    answered = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
    return f"{answered}; {lost} lost; longest {answer['slowest']:.1f} s"
