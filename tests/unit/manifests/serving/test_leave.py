"""The preStop hook, run as the pod runs it, beside processes that stand in for vLLM's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breakeven.manifests.templates import CHARTS

# As vLLM while it starts: it ignores the signal to stop, and ends when its engine has ended.
STARTING = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(engine.pid, flush=True)
sys.exit(engine.wait() and 1)
"""


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def free_port() -> int:
    with listening() as port:
        return port


def leave(folder: Path, port: int, process: int, seconds: float = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            str(CHARTS / "serving" / "leave.py"),
            f"--port={port}",
            f"--seconds={seconds}",
            f"--process={process}",
        ],
        env={**os.environ, "REQUEST_GUARD_FOLDER": str(folder)},
        text=True,
    )


def test_a_replica_that_serves_is_given_time_and_told(tmp_path: Path) -> None:
    with listening() as port:
        hook = leave(tmp_path, port, os.getpid(), seconds=2)
        while not (tmp_path / "leaving").exists():
            assert hook.poll() is None
            time.sleep(0.02)
        assert not (tmp_path / "stopping").exists()
        assert hook.wait(60) == 0
    assert (tmp_path / "stopping").exists()


def test_no_request_is_let_in_in_the_last_second_before_the_signal(tmp_path: Path) -> None:
    with listening() as port:
        hook = leave(tmp_path, port, os.getpid(), seconds=2)
        while not (tmp_path / "stopping").exists():
            time.sleep(0.02)
        refused_since = time.monotonic()
        assert hook.wait(60) == 0
    assert time.monotonic() - refused_since > 0.9


def test_a_replica_that_starts_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTING], stdout=subprocess.PIPE, text=True
    ) as starting:
        assert starting.stdout is not None
        engine = int(starting.stdout.readline())
        starting.terminate()  # what Kubernetes would do, without effect
        with leave(tmp_path, free_port(), starting.pid) as hook:
            assert starting.wait(60) == 1
            assert hook.wait(60) == 0
        assert not Path(f"/proc/{engine}").exists()


def test_a_replica_that_serves_loses_none_of_its_processes(tmp_path: Path) -> None:
    with (
        listening() as port,
        subprocess.Popen([sys.executable, "-c", STARTING], stdout=subprocess.PIPE) as serving,
    ):
        assert serving.stdout is not None
        engine = int(serving.stdout.readline())
        assert leave(tmp_path, port, serving.pid).wait(60) == 0
        assert serving.poll() is None
        os.kill(engine, 9)
