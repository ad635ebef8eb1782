# ruff: noqa: INP001  # a script that runs in a pod, not a package
"""Lets a replica leave without a lost request: the preStop hook of the engine's container.

Kubernetes takes the pod out of rotation while this runs, and sends the signal to stop when it has
ended. A replica that serves is given the time for its callers to notice, and its request guard is
told. One that still starts is ended here: vLLM was seen to ignore the signal then, for as long as
a start may take.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from request_guard import (  # type: ignore[import-not-found]  # beside this file in the pod
    LEAVING,
    STOPPING,
)

_CONTAINERS_FIRST = 1

# Of the time before the signal: a request that was let in at the last moment must have reached the
# engine, or vLLM, which sees nothing running, ends at once and answers it with status 500.
_REACHES_THE_ENGINE_SECONDS = 1.0


def main(arguments: list[str]) -> int:
    """Leaves; returns the exit status."""
    parser = argparse.ArgumentParser(description="Let a replica leave without a lost request.")
    parser.add_argument("--port", required=True, type=int, help="where vLLM listens")
    parser.add_argument("--seconds", required=True, type=float, help="for callers to notice")
    parser.add_argument(
        "--process",
        type=int,
        default=_CONTAINERS_FIRST,
        help="vLLM's own (default: the container's)",
    )
    options = parser.parse_args(arguments)
    folder = Path(os.environ["REQUEST_GUARD_FOLDER"])
    if not _listens(options.port):
        _end_start(options.process, options.port)
    (folder / LEAVING).touch()
    time.sleep(max(0.0, options.seconds - _REACHES_THE_ENGINE_SECONDS))
    (folder / STOPPING).touch()
    time.sleep(_REACHES_THE_ENGINE_SECONDS)
    return 0


def _listens(port: int) -> bool:
    # vLLM listens only once the model is loaded, and until the very end.
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def _end_start(process: int, port: int) -> None:
    """Ends what vLLM has started until vLLM gives up, or has become ready after all.

    The container's first process itself cannot be killed from inside; without its engine it ends.
    """
    while not _listens(port) and _is_alive(process):
        for child in _descendants(process):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.5)


def _is_alive(process: int) -> bool:
    with suppress(OSError):
        return _status(Path(f"/proc/{process}/stat"))[0] != "Z"
    return False


def _descendants(ancestor: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(entry.parent.name)] = int(_status(entry)[1])
    found = [ancestor]
    for process in found:  # it grows while it is walked
        found += [child for child, parent in parents.items() if parent == process]
    return [process for process in found[1:] if process != os.getpid()]


def _status(file: Path) -> list[str]:
    # The name, in brackets, may hold blanks and brackets.
    return file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
