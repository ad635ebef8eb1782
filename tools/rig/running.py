"""Parts that run together: started one after another, waited for, recorded, and ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bootstrap.console import SetupError
from rig.api import Api
from rig.folder import Folder
from rig.part import Part, Process, start, stop, tail, wait_until_ready
from rig.ports import LOOPBACK
from rig.settings import Plan

MakePart = Callable[[Plan], Part]


def silent(_line: str) -> None:
    """Say nothing."""


@dataclass
class Running:
    """The processes of a cluster, and what is asked of them.

    Attributes:
        plan: Folder, programs, clocks and ports.
        say: Takes progress lines.
    """

    plan: Plan
    say: Callable[[str], None] = silent
    _processes: dict[str, Process] = field(default_factory=dict, init=False)

    parts: ClassVar[Mapping[str, MakePart]]
    """Every part, in the order of their start."""
    again: ClassVar[str]
    """The command that ends them all and starts them again."""

    @property
    def folder(self) -> Folder:
        """Where their files are."""
        return self.plan.folder

    @property
    def kubeconfig(self) -> Path:
        """The file for KUBECONFIG."""
        return self.folder.kubeconfig

    @property
    def api(self) -> Api:
        """The cluster's API, as its administrator."""
        return Api.connect(self.plan.api_server, self.folder.certificates)

    def process(self, name: str) -> Process:
        """The process of a part."""
        return self._processes[name]

    def start_part(self, name: str) -> None:
        """Start a part, again after `stop_part`, and wait until it is ready."""
        began = time.monotonic()
        self._await(self._launch(name), began)

    def start_together(self, names: Sequence[str]) -> None:
        """Start parts that need each other only while they work, not while they start."""
        began = time.monotonic()
        for part in [self._launch(name) for name in names]:
            self._await(part, began)

    def stop_part(self, name: str) -> None:
        """End a part; a fault that others must survive."""
        stop([self._processes[name]])

    def stop(self) -> list[str]:
        """End all parts, last started first; files and logs stay.

        Returns:
            The names of those that were running.
        """
        return stop(list(reversed(self._processes.values())))

    def check(self) -> None:
        """Make sure that all parts run.

        Raises:
            SetupError: One does not; with the end of its log.
        """
        for process in self._processes.values():
            if process.running() is None:
                raise dead(self.folder, process, self.again)

    def _launch(self, name: str) -> Part:
        part = self.parts[name](self.plan)
        self._processes[name] = start(part, self.folder.log(name))
        self._record()
        return part

    def _await(self, part: Part, began: float) -> None:
        process = self._processes[part.name]
        wait_until_ready(part, process, self.folder.log(part.name), self.again)
        where = ", ".join(f"{LOOPBACK}:{port}" for port in part.ports)
        position = f"[{list(self.parts).index(part.name) + 1}/{len(self.parts)}]"
        seconds = time.monotonic() - began
        self.say(f"{position} {part.name}: ready after {seconds:.1f} s{where and f' on {where}'}")

    def _record(self) -> None:
        beside = self.folder.processes.with_suffix(".new")
        processes = [each.record() for each in self._processes.values()]
        beside.write_text(json.dumps(processes, indent=1), encoding="utf-8")
        beside.replace(self.folder.processes)


def read_processes(folder: Folder) -> list[Process]:
    """The processes that another run started, in the order of their start."""
    if not folder.processes.is_file():
        return []
    recorded = json.loads(folder.processes.read_text(encoding="utf-8"))
    return [Process(**each) for each in recorded]


def dead(folder: Folder, process: Process, again: str) -> SetupError:
    """Return the error that says which part ended, and with what last words."""
    log = folder.log(process.name)
    return SetupError(
        what=f"{process.name} has ended",
        found=tail(log),
        fix=[f"read the whole log: {log}", f"then start again: {again}"],
    )
