"""One process of a rig: how it is started, when it is ready, and what its log ended with."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bootstrap.console import SetupError
from rig.ports import is_taken

READY_WITHIN_SECONDS = 120.0
STOP_WITHIN_SECONDS = 10.0
TAIL_LINES = 12

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Part:
    """What is needed to start a process.

    Attributes:
        name: Its name in messages, and of its log.
        command: Program and arguments.
        ready: Whether it does its work; asked again and again.
        environment: Variables besides those of the caller.
        ports: The ports that it listens on.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()


@dataclass(frozen=True)
class Process:
    """A process that was started, recognised also by when: its number may be used again.

    Attributes:
        name: Name of the part.
        pid: Its number.
        started: Seconds since 1970 at which the system says that it began.
        child: The process itself, where this run started it.
    """

    name: str
    pid: int
    started: float
    child: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)

    def record(self) -> dict[str, str | int | float]:
        """What another run needs to find it again."""
        return {"name": self.name, "pid": self.pid, "started": self.started}

    def running(self) -> psutil.Process | None:
        """Return the process if it still runs."""
        if self.child is not None and self.child.poll() is not None:
            return None
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            ended = found.status() == psutil.STATUS_ZOMBIE
            if abs(found.create_time() - self.started) < 1 and not ended:
                return found
        return None


def start(part: Part, log: Path) -> Process:
    """Start a part, with its output in its log.

    Raises:
        SetupError: One of its ports is taken.
    """
    for port in part.ports:
        if is_taken(port):
            raise SetupError(
                what=f"{part.name} cannot start: its port {port} is taken",
                found="another process listens there",
                fix=["run the same command again: other ports are chosen"],
            )
    with log.open("ab") as output:
        # A session of its own, so that an interrupt typed for the caller does not end it.
        child = subprocess.Popen(
            part.command,
            env={**os.environ, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Process(part.name, child.pid, psutil.Process(child.pid).create_time(), child)


def wait_until_ready(part: Part, process: Process, log: Path, again: str) -> None:
    """Wait until a part does its work.

    Args:
        part: The part, and
        process: its process.
        log: Where its output goes.
        again: The command that starts everything again, for the message.

    Raises:
        SetupError: It ended, or took too long; with the end of its log.
    """
    patience = time.monotonic() + READY_WITHIN_SECONDS
    while not part.ready():
        if process.running() is None:
            raise _failed(part.name, "ended while it was starting", log, again)
        if time.monotonic() > patience:
            late = f"was not ready within {READY_WITHIN_SECONDS:.0f} s"
            raise _failed(part.name, late, log, again)
        time.sleep(_POLL_SECONDS)


def stop(processes: Sequence[Process]) -> list[str]:
    """End processes in the order given; those that do not end are killed.

    Returns:
        The names of those that were running.
    """
    ended = []
    for process in processes:
        running = process.running()
        if running is None:
            continue
        ended.append(process.name)
        with suppress(psutil.NoSuchProcess):
            running.terminate()
            try:
                running.wait(STOP_WITHIN_SECONDS)
            except psutil.TimeoutExpired:
                running.kill()
                running.wait(STOP_WITHIN_SECONDS)
        process.running()  # lets the system forget a child that has ended
    return ended


def tail(log: Path) -> str:
    """The last lines of a log, indented to stand in a message."""
    if not log.is_file():
        return "no log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "its log ends with\n" + "\n".join(f"    {line[:200]}" for line in lines)


def _failed(name: str, what: str, log: Path, again: str) -> SetupError:
    return SetupError(
        what=f"{name} {what}",
        found=tail(log),
        fix=[f"read the whole log: {log}", f"then start again: {again}"],
    )
