"""The programs of the gateway's pods, as processes of the test that end with it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 60


class Process:
    """A program with its output in a file of its own.

    Args:
        command: The program and its arguments.
        log: Where its output goes.
        variables: Its environment; nothing of the test's own is passed on.
        traced: Where strace writes which addresses it uses; without if None.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        variables: Mapping[str, str],
        *,
        traced: Path | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        if traced is not None:
            calls = "trace=connect,sendto,sendmsg,sendmmsg"
            # -D: this process is the program, and not strace.
            self.command = [
                "strace",
                "-D",
                "-f",
                "-qq",
                "-e",
                calls,
                "-o",
                str(traced),
                *self.command,
            ]
        self.log_file = log
        self.variables = dict(variables)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env={"PATH": os.environ["PATH"], **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit status, if it has ended."""
        return self._process.poll()

    def log(self) -> str:
        """What it has said."""
        return self.log_file.read_text(errors="replace")

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Waits for it; fails with its last words if it ends, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is(ready):
            assert self.ended is None, f"{what} ended with {self.ended}: {self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"{what} is not ready: {self.log()[-3000:]}"
            time.sleep(0.02)

    @staticmethod
    def _is(ready: Callable[[], bool]) -> bool:
        try:
            return ready()
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """The processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """The memory that it holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def send(self, what: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(what)

    def wait(self, seconds: float) -> int:
        """Waits for its end and returns its exit status."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        """Ends it, and waits."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now, and that no connection is given by the kernel."""
    held: list[socket.socket] = []
    while len(held) < count:
        with contextlib.suppress(OSError):
            held.append(socket.create_server(("127.0.0.1", random.randrange(20_000, 32_000))))  # noqa: S311  # no secret
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
