"""The namespaces in which all of a node runs: made, entered, and ended with everything in them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bootstrap.console import SetupError
from node import cgroups
from node.places import (
    ADDRESS,
    FIRST,
    LINK,
    MACHINE_ADDRESS,
    POD_NETWORK,
    SECOND,
    Places,
    Spot,
    holder_file,
)
from rig.control_plane import SERVICE_NETWORK
from rig.part import Process, tail

_HOLDER = Path(__file__).parent / "files" / "holder.sh"
_READY_WITHIN_SECONDS = 20.0
_GONE_WITHIN_SECONDS = 30.0


_FURTHER: list[subprocess.Popen[bytes]] = []
"""Kept, so that Python does not warn of them: they end with the first node's namespaces."""


@dataclass(frozen=True)
class Namespaces:
    """Namespaces of mounts, networks and processes, which their process 1 holds.

    Attributes:
        places: The node's files.
        holder: That process, as this machine sees it.
    """

    places: Places
    holder: Process

    @classmethod
    def make(cls, places: Places) -> Namespaces:
        """Make them, with a link to this machine.

        Raises:
            SetupError: A node runs already, or the machine refuses.
        """
        if find(places) is not None:
            raise SetupError(
                what="a node runs already, and this machine can have one",
                found=f"{places.holder} names its process",
                fix=["use it", "end it first: make node-stop"],
            )
        end(places)  # what one left that was cut off
        shutil.rmtree(places.root, ignore_errors=True)
        places.root.mkdir(parents=True, mode=0o755)
        places.kept().images.mkdir(parents=True, exist_ok=True)
        cgroups.make(FIRST)
        log = places.root / "holder.log"
        with log.open("ab") as output:
            outer = subprocess.Popen(
                [
                    *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"),
                    *("bash", str(_HOLDER), str(places.root), str(places.kept().images)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _wait_for(places.root / "held", outer, log)
        [inner] = psutil.Process(outer.pid).children()
        holder = Process("holder", inner.pid, inner.create_time(), outer)
        places.holder.write_text(json.dumps(holder.record()), encoding="utf-8")
        made = cls(places, holder)
        made._link()
        return made

    def add(self, spot: Spot) -> None:
        """Make those of a further node within these, so that they end with them.

        Its mounts begin as this machine's are, not as the first node's: nothing of the first node's
        containers is held there.
        """
        root, images = self.places.root, self.places.kept(spot).images
        images.mkdir(parents=True, exist_ok=True)
        cgroups.make(spot)
        log = root / f"holder{spot.ending}.log"
        with log.open("ab") as output:
            outer = subprocess.Popen(
                [
                    *("nsenter", f"--target={self.holder.pid}", "--net", "--pid", "--"),
                    *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc"),
                    *("bash", str(_HOLDER), str(root), str(images), spot.ending),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _FURTHER.append(outer)
        _wait_for(root / f"held{spot.ending}", outer, log)
        [held] = [
            each for each in psutil.Process(outer.pid).children(recursive=True) if _first(each)
        ]
        holder = Process("holder", held.pid, held.create_time())
        _record(root, spot).write_text(json.dumps(holder.record()), encoding="utf-8")
        inner = _numbers(held)[-2]
        holder_file(root, spot).write_text(str(inner), encoding="utf-8")
        for command in (
            f"ip link add {spot.name} type veth peer name uplink netns {inner}",
            f"ip link set {spot.name} master node0",
            f"ip link set {spot.name} up",
        ):
            _do(self.command(command.split()))
        for command in (
            f"ip address add {spot.address}/24 dev uplink",
            "ip link set uplink up",
            f"ip route add default via {ADDRESS}",
        ):
            _do(_enter(holder, command.split()))
        _do(self.command(f"ip route add {spot.pod_network} via {spot.address}".split()))

    def lose(self, spot: Spot) -> None:
        """End a further node as a machine ends that loses its power."""
        holder = _held(self.places.root, spot)
        running = None if holder is None else holder.running()
        if running is not None:
            inside = _inside(running.pid)
            running.send_signal(signal.SIGKILL)
            psutil.wait_procs(inside, timeout=_GONE_WITHIN_SECONDS)

    def end(self) -> None:
        """End every process inside, where this run made them."""
        end(self.places)
        if self.holder.child is not None:
            self.holder.child.wait(_GONE_WITHIN_SECONDS)

    @property
    def spots(self) -> list[Spot]:
        """The nodes that were made."""
        return [FIRST, *([SECOND] if _record(self.places.root, SECOND).is_file() else [])]

    def command(self, command: Sequence[str], spot: Spot = FIRST) -> list[str]:
        """The same command, run on a node."""
        holder = self.holder if spot == FIRST else _held(self.places.root, spot)
        if holder is None:
            msg = f"there is no {spot.name}"
            raise LookupError(msg)
        return _enter(holder, command)

    def _link(self) -> None:
        """Let this machine reach the node, its services and its pods; they reach nothing beyond."""
        commands = [
            f"ip link add {LINK} type veth peer name machine0 netns {self.holder.pid}",
            f"ip address add {MACHINE_ADDRESS}/24 dev {LINK}",
            f"ip link set {LINK} up",
        ]
        inside = [
            "ip link set machine0 master node0",
            "ip link set machine0 up",
            # Without a route to anywhere the addresses of services have none either.
            f"ip route add default via {MACHINE_ADDRESS} dev node0",
        ]
        routes = [
            f"ip route add {network} via {ADDRESS} dev {LINK}"
            for network in (SERVICE_NETWORK, POD_NETWORK)
        ]
        for command in commands:
            _do(command.split())
        for command in inside:
            _do(self.command(command.split()))
        for command in routes:
            _do(command.split())


def find(places: Places) -> Namespaces | None:
    """The namespaces of a node that runs, or None."""
    with suppress(OSError, ValueError):
        holder = Process(**json.loads(places.holder.read_text(encoding="utf-8")))
        if holder.running() is not None:
            return Namespaces(places, holder)
    return None


def end(places: Places) -> bool:
    """End every process inside, and take away what the machine got for them.

    Returns:
        Whether a node was running.
    """
    found = find(places)
    if found is not None:
        # The end of process 1 is the end of all of them, and of mounts and networks with the last.
        running = found.holder.running()
        further = _held(places.root, SECOND)
        inside = _inside(found.holder.pid)
        inside += [] if further is None else _inside(further.pid)
        if running is not None:
            running.send_signal(signal.SIGKILL)
        psutil.wait_procs(inside, timeout=_GONE_WITHIN_SECONDS)
    gone = ["ip", "link", "delete", LINK]
    subprocess.run(gone, capture_output=True, check=False)
    cgroups.remove()
    places.holder.unlink(missing_ok=True)
    return found is not None


def _enter(holder: Process, command: Sequence[str]) -> list[str]:
    return [
        *("nsenter", f"--target={holder.pid}", "--mount", "--net", "--pid"),
        *("--", *command),
    ]


def _record(root: Path, spot: Spot) -> Path:
    return root / f"holder{spot.ending}.json"


def _held(root: Path, spot: Spot) -> Process | None:
    """Who holds a further node's namespaces, if it was made."""
    file = _record(root, spot)
    return Process(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def _numbers(process: psutil.Process) -> list[int]:
    """The numbers of a process: this machine's first, the innermost namespace's last."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    [line] = [each for each in status.splitlines() if each.startswith("NSpid:")]
    return [int(number) for number in line.split()[1:]]


def _first(process: psutil.Process) -> bool:
    return _numbers(process)[-1] == 1


def _inside(holder: int) -> list[psutil.Process]:
    """Every process of the holder's namespace."""
    wanted = _namespace(holder)
    return [each for each in psutil.process_iter() if wanted and _namespace(each.pid) == wanted]


def _namespace(pid: int) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""


def _do(command: Sequence[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise SetupError(
            what=f"`{' '.join(command)}` ended with exit code {answer.returncode}",
            found=answer.stderr.strip(),
            fix=["make node-stop node"],
        )


def _wait_for(file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    patience = time.monotonic() + _READY_WITHIN_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > patience:
            raise SetupError(
                what="the namespaces of the node cannot be made",
                found=tail(log),
                fix=["run it where mounts and networks may be made: in no container"],
            )
        time.sleep(0.05)
