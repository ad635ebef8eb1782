"""What the tests do with stacks: make, change, refresh and remove them, and wait for pods."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from breakeven.manifests.serving.labels import GROUP_NAME
from rig.api import Api
from tests.project_copy import Project

NAMESPACE = "llm"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/model"
GROUPS = f"/apis/leaderworkerset.x-k8s.io/v1/namespaces/{NAMESPACE}/leaderworkersets/{GROUP_NAME}"

_LONGEST_UPDATE_SECONDS = 300


def pulumi(project: Project, *arguments: str) -> str:
    """Runs a command that must succeed, and returns what it printed."""
    result = project.pulumi(*arguments)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    return result.stdout


def up(project: Project, stack: str, *arguments: str) -> str:
    """Deploys a stack, which is made first where it is new."""
    pulumi(project, "stack", "select", "--create", stack)
    return pulumi(project, "up", "--stack", stack, "--yes", "--skip-preview", *arguments)


_started: list[Update] = []


class Update:
    """An update that runs while the test goes on."""

    def __init__(self, project: Project, stack: str) -> None:
        pulumi(project, "stack", "select", "--create", stack)
        self._log = project.root.parent / "update.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                ["pulumi", "up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive"],
                cwd=project.root,
                env=dict(project.environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _started.append(self)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def has_said(self, what: str) -> bool:
        """Whether it has printed something so far."""
        return what in self.output

    def kill(self, number: signal.Signals) -> None:
        """Sends a signal to the engine, or SIGKILL to it and all that it started."""
        # Plugins are in process groups of their own, and outlive an engine that is killed.
        started = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(number)
        self.wait()
        if number == signal.SIGKILL:
            for process in started:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Waits until it ends, however it does, and returns its exit code."""
        return self._process.wait(_LONGEST_UPDATE_SECONDS)

    def finish(self) -> None:
        """Waits until it has succeeded."""
        code = self.wait()
        assert code == 0, self.output[-4000:]


def end_updates() -> int:
    """Kills updates that a failed test has left running, and returns how many there were."""
    running = [update for update in _started if update.runs]
    for update in running:
        update.kill(signal.SIGKILL)
    _started.clear()
    return len(running)


def destroy(project: Project, stack: str) -> None:
    """Removes what a stack deployed."""
    pulumi(project, "destroy", "--stack", stack, "--yes", "--skip-preview")


def wait_for(what: str, check: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something holds; fails with its name when the time is over."""
    patience = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < patience, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def ready_replicas(api: Api) -> int:
    """Returns how many replicas of the model are ready, of one node or of several."""
    found = api.find(DEPLOYMENT) or api.find(GROUPS)
    return int(found["status"].get("readyReplicas", 0)) if found else 0
