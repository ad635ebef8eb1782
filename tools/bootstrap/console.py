"""Progress lines and error messages, plain where the output is not a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HEARTBEAT_SECONDS = 30.0
INTERRUPT_GRACE_SECONDS = 10.0
LOG_TAIL_LINES = 15


class SetupError(Exception):
    """Something that the user can put right; its text is the whole message that they see."""

    def __init__(
        self, *, what: str, found: str = "", allowed: str = "", fix: Sequence[str] = ()
    ) -> None:
        """Compose the message.

        Args:
            what: The file, setting or program concerned, and what is wrong with it.
            found: What is there now.
            allowed: What would be accepted.
            fix: What to type or do next, one way out a line.
        """
        lines = [what]
        lines += [f"  found:   {found}"] if found else []
        lines += [f"  allowed: {allowed}"] if allowed else []
        for position, way_out in enumerate(fix):
            lines.append(f"  {'next:' if position == 0 else 'or:':<8} {way_out}")
        super().__init__("\n".join(lines))


class Console:
    """Writes to standard error, which keeps standard output clean for `env` and for Pulumi."""

    def __init__(self) -> None:
        """Look at the terminal once; it does not change during a run."""
        self._tty = sys.stderr.isatty()
        self._colour = (
            self._tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def line(self, text: str) -> None:
        """Print one line at once, also where the output is a pipe."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def error(self, error: SetupError) -> None:
        """Print the one message that ends the run."""
        label = "\033[1;31merror:\033[0m" if self._colour else "error:"
        self.line(f"{label} {error}")

    @contextmanager
    def step(self, label: str, doing: str) -> Iterator[None]:
        """Show that a long step runs, that it still does, and how long it took."""
        started = time.monotonic()
        stop = threading.Event()
        ticker = threading.Thread(
            target=self._tick, args=(label, doing, started, stop), daemon=True
        )
        self._announce(label, doing)
        ticker.start()
        outcome = "failed after"
        try:
            yield
            outcome = "done in"
        except KeyboardInterrupt:
            outcome = "stopped after"
            raise
        finally:
            stop.set()
            ticker.join()
            self._conclude(label, doing, f"{outcome} {time.monotonic() - started:.0f} s")

    def _announce(self, label: str, doing: str) -> None:
        if self._tty:
            sys.stderr.write(f"{label}: {doing} …")
            sys.stderr.flush()
        else:
            self.line(f"{label}: {doing} …")

    def _conclude(self, label: str, doing: str, outcome: str) -> None:
        if self._tty:
            self.line(f"\r\033[K{label}: {doing} … {outcome}")
        else:
            self.line(f"{label}: {outcome}")

    def _tick(self, label: str, doing: str, started: float, stop: threading.Event) -> None:
        interval = 1.0 if self._tty else HEARTBEAT_SECONDS
        while not stop.wait(interval):
            seconds = f"{time.monotonic() - started:.0f} s"
            if self._tty:
                sys.stderr.write(f"\r\033[K{label}: {doing} … {seconds}")
                sys.stderr.flush()
            else:
                self.line(f"{label}: still at it after {seconds}")


def run_logged(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> None:
    """Run a command with its output in a log file; on failure, show the end of that log.

    Raises:
        SetupError: The command ended with an exit code other than 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        code = _run(command, cwd, env, output.fileno())
    if code != 0:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        raise SetupError(
            what=f"`{' '.join(command[:3])} …` ended with exit code {code}",
            found="\n    " + "\n    ".join(tail),
            fix=[f"read the whole log: {log}", "run the same command again: finished work is kept"],
        )


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str], output: int) -> int:
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    ) as child:
        try:
            return child.wait()
        except BaseException:
            # `go build` and pip both tidy up after an interrupt, and not after a kill.
            child.send_signal(signal.SIGINT)
            try:
                child.wait(INTERRUPT_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
