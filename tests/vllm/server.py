"""A real vLLM of a stack, and the kubelet's part in its life."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bootstrap.vllm import Vllm
from tests.vllm.client import Answer, ask
from tests.vllm.rendered import KEY, Engine, localised

# Two cores that others use as well: a start takes 25 s on a machine of its own.
START_SECONDS = 400
POLL_SECONDS = 0.2


@dataclass
class Server:
    """One replica: vLLM's processes, and what the kubelet would do to them."""

    engine: Engine
    port: int
    process: subprocess.Popen[bytes]
    hook: list[str]
    environment: Mapping[str, str]
    log: Path
    signalled: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(self, path: str, *, key: str = KEY, method: str = "GET", body: object = None) -> Answer:
        return ask(f"{self.address}{path}", key=key, method=method, body=body)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something that a process does; fails when it has ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert self.process.poll() is None, f"vLLM ended before {what}:\n{self.output[-5000:]}"
            assert time.monotonic() < deadline, f"not {what}:\n{self.output[-5000:]}"
            time.sleep(POLL_SECONDS)

    def wait_until_ready(self) -> None:
        self.wait_until(self.is_ready, "ready")

    def is_ready(self) -> bool:
        """What the readiness probe of the stack finds."""
        path = self.engine.container["readinessProbe"]["httpGet"]["path"]
        with suppress(OSError):
            return self.ask(path, key="").status == 200
        return False

    def delete(self) -> float:
        """Does what the kubelet does when the pod is deleted; returns how long it took, in s.

        The preStop hook runs; then comes the signal; what still runs when the grace period is over
        is killed.
        """
        began = time.monotonic()
        hook = subprocess.Popen(self.hook, env=self.environment)
        try:
            hook.wait(self.engine.grace)
        finally:
            hook.kill()
            hook.wait()
        self.process.send_signal(signal.SIGTERM)
        self.signalled.set()
        try:
            self.process.wait(self.engine.grace - (time.monotonic() - began))
        finally:
            self.kill()
        return time.monotonic() - began

    def kill(self) -> None:
        """Ends all processes of the replica, as the kernel does with a lost node."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def starting(
    engine: Engine,
    vllm: Vllm,
    folder: Path,
    *,
    without: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    """Starts a stack's vLLM, and ends it.

    Args:
        engine: What the stack renders.
        vllm: The program.
        folder: An empty folder for volumes and output.
        without: Flags and variables that are left out, to show what they are good for.
        added: Flags that the stack does not have.
        variables: Environment variables that it does not have.
    """
    port = _free_port()
    local = localised(engine, folder, vllm.model, port)
    path = f"{vllm.folder / 'bin'}:/usr/bin:/bin"
    environment = {
        **{name: value for name, value in local.environment.items() if name not in without},
        "PATH": path,
        **variables,
    }
    command = [part for part in local.command if part.partition("=")[0] not in without]
    command += added
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            executable=vllm.program,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Not a session: kernels that schedule by session were seen to keep the client and the
            # hook waiting for 12 s at a time, while the engine had both processors.
            process_group=0,
        )
        server = Server(
            engine,
            port,
            process,
            [*local.hook, f"--process={process.pid}"],
            environment,
            log,
        )
        try:
            yield server
        finally:
            server.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
