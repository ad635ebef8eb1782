"""A stack that is served on the node, and what tests ask of it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from breakeven.manifests.serving.labels import ENGINE_LABELS
from node.starting import Started
from rig.api import Api
from tests.cluster.deploying import NAMESPACE, wait_for
from tests.node.pods import Pod, is_ready
from tests.project_copy import Project

READY_SECONDS = 900
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


@dataclass(frozen=True)
class Deployed:
    """A stack that is served.

    Attributes:
        node: Where.
        project: The copy of the project that deployed it.
        caller: A client in a namespace that the stack names.
        before: What the cluster had before the stack.
    """

    node: Started
    project: Project
    caller: Pod
    before: set[str]

    @property
    def api(self) -> Api:
        """The cluster."""
        return self.node.api

    def pods(self, labels: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """The stack's pods with these labels, except for those that are leaving."""
        chosen = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        return [
            each
            for each in self.api.items(f"{_PODS}?labelSelector={chosen}")
            if not each["metadata"].get("deletionTimestamp")
        ]

    def engines(self) -> list[str]:
        """Paths of the pods that serve, except for those that are leaving."""
        return [f"{_PODS}/{each['metadata']['name']}" for each in self.pods(dict(ENGINE_LABELS))]

    def pod(self, path: str) -> Pod:
        """A pod of the stack in which programs can be run."""
        return Pod(self.node, NAMESPACE, path.rpartition("/")[2])

    def engine(self) -> Pod:
        """The only pod that serves."""
        [path] = self.engines()
        return self.pod(path)

    def ready_engines(self) -> int:
        """How many pods serve."""
        return sum(is_ready(self.api, path) for path in self.engines())

    def wait_until_ready(self, replicas: int = 1) -> None:
        """Waits until so many pods serve, and no other is there."""

        def ready() -> bool:
            return len(self.engines()) == replicas == self.ready_engines()

        wait_for(f"{replicas} engines that are ready", ready, READY_SECONDS)


def secret(api: Api, name: str) -> dict[str, str]:
    """Values of a Secret of the stack."""
    data = api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def make_secret(api: Api, name: str, values: dict[str, str]) -> None:
    """Makes a Secret of the stack, as a person does before the first update."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    metadata = {"name": name, "namespace": NAMESPACE}
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})


def breakeven(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the project's own program; the caller looks at the exit code."""
    path = os.pathsep.join((str(project.root / "components"), str(project.root)))
    return subprocess.run(
        [sys.executable, "-c", "from breakeven.cli.start import main; main()", *arguments],
        cwd=project.root,
        env={**project.environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=project.longest_seconds,
        check=False,
    )
