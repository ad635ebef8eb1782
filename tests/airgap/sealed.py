"""A network namespace with loopback alone, in which commands run under strace."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.airgap.contacts import CALLS, Contact, contacts

NEEDED = ("unshare", "nsenter", "ip", "strace")
_SECONDS = 600


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    output: str
    contacts: frozenset[Contact]

    @property
    def outside(self) -> list[Contact]:
        """What it tried to reach beyond this machine."""
        return sorted(contact for contact in self.contacts if contact.is_outside)


@dataclass(frozen=True)
class Sealed:
    """The namespace, held open by a process."""

    holder: int
    traces: Path

    def enter(self, *command: str) -> list[str]:
        """The command line that runs a command in the namespace."""
        return ["nsenter", f"--target={self.holder}", "--net", "--", *command]

    def run(self, *command: str, cwd: Path, environment: Mapping[str, str] | None = None) -> Ran:
        """Runs a command and everything that it starts in the namespace, traced."""
        trace = self.traces / f"{len(list(self.traces.iterdir()))}.trace"
        traced = ["strace", "--follow-forks", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o"]
        result = subprocess.run(
            self.enter(*traced, str(trace), "--", *command),
            cwd=cwd,
            env=dict(environment if environment is not None else os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        found = frozenset(contacts(trace.read_text(encoding="utf-8", errors="replace")))
        return Ran(result.returncode, result.stdout, found)


@contextmanager
def sealed_namespace(traces: Path) -> Iterator[Sealed]:
    """Makes the namespace and removes it."""
    for name in NEEDED:
        if shutil.which(name) is None:
            pytest.fail(f"{name} is missing: apt-get install strace iproute2 util-linux")
    if os.geteuid() != 0:
        pytest.fail("a network namespace is made by root: sudo make test-airgap")
    traces.mkdir(parents=True, exist_ok=True)
    # Prints a line once it is inside, and stays until its standard input is closed.
    holder = subprocess.Popen(
        ["unshare", "--net", "--", "sh", "-c", "ip link set lo up && echo inside && cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "inside\n"
        yield Sealed(holder.pid, traces)
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
