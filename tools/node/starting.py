"""A node from the outside: made, reached, and ended."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bootstrap import node as built
from bootstrap import vllm
from bootstrap.console import Console, SetupError
from bootstrap.layout import Layout
from node import images
from node.namespaces import Namespaces
from node.places import SECOND, Places
from node.store import Store
from rig.api import Api
from rig.certificates import Authority
from rig.folder import Folder

_TOOLS = Path(__file__).resolve().parents[1]
_SIGNED_AGAIN_SECONDS = 300 * 86400
_OUTSIDE = ("huggingface.co", "api.openai.com")


@dataclass(frozen=True)
class Started:
    """A node that runs.

    Attributes:
        places: Its files.
        namespaces: Where its processes are.
        address: https://HOST:PORT of its API server.
        ctr: The program that asks its containerd.
    """

    places: Places
    namespaces: Namespaces
    address: str
    ctr: Path

    @property
    def kubeconfig(self) -> Path:
        """The file for KUBECONFIG."""
        return Folder(self.places.root).kubeconfig

    @property
    def prometheus(self) -> str:
        """http://HOST:PORT of its Prometheus, as KEDA calls it; only inside."""
        return (self.places.root / "prometheus-address").read_text(encoding="utf-8")

    @cached_property
    def api(self) -> Api:
        """The cluster's API, as its administrator."""
        return Api.connect(self.address, Folder(self.places.root).certificates)

    @property
    def stores(self) -> list[Store]:
        """The images of each node."""
        return [
            Store(self.places.kept(spot), self.ctr, tuple(self.namespaces.command((), spot)))
            for spot in self.namespaces.spots
        ]

    def run(self, *command: str, must: bool = True) -> str:
        """Run a command inside, and return what it printed."""
        answer = subprocess.run(
            self.namespaces.command(command), capture_output=True, text=True, check=False
        )
        if must and answer.returncode != 0:
            msg = f"{' '.join(command)}: {answer.stderr}"
            raise RuntimeError(msg)
        return answer.stdout


def start(layout: Layout, places: Places, console: Console, *, nodes: int = 1) -> Started:
    """Make a node, or two; where a step fails, what was started is ended.

    Args:
        layout: The folders of the checkout.
        places: Where the node keeps its files.
        console: Where progress goes.
        nodes: How many, one or two.

    Raises:
        SetupError: A part failed, or something is not built.
    """
    programs, _ = built.find(layout)  # what is missing is said before anything is made
    images.ensure_base(layout, console, "Debian for containers")
    _sign_for_the_outside(places)
    made = Namespaces.make(places)
    try:
        if nodes > 1:
            made.add(SECOND)
        _fill(layout, places)
        _start_parts(made)
    except BaseException:
        made.end()
        raise
    address = (places.root / "address").read_text(encoding="utf-8")
    return Started(places, made, address, programs["ctr"])


def _start_parts(made: Namespaces) -> None:
    root = made.places.root
    inside = [sys.executable, str(_TOOLS / "node"), "inside", str(root)]
    if subprocess.run(made.command(inside), check=False).returncode != 0:
        raise SetupError(
            what="the node did not start, and what was started was ended",
            found="the message above",
            fix=[f"read the logs in {root / 'logs'}"],
        )


def _sign_for_the_outside(places: Places) -> None:
    """Make the certificates of what stands in for the internet; images trust their authority."""
    certificate = places.authority / "ca.crt"
    until = certificate.stat().st_mtime + _SIGNED_AGAIN_SECONDS if certificate.is_file() else 0
    if time.time() < until:
        return
    beside = places.authority.with_suffix(".new")
    shutil.rmtree(beside, ignore_errors=True)
    Authority(beside, "ca").issue("outside", _OUTSIDE[0], hosts=_OUTSIDE)
    shutil.rmtree(places.authority, ignore_errors=True)
    beside.rename(places.authority)


def _fill(layout: Layout, places: Places) -> None:
    """Put what the world outside serves where it looks for it."""
    for name in ("outside.crt", "outside.key"):
        shutil.copyfile(places.authority / name, places.root / name)
    hub = places.root / "hub"
    engine = vllm.find(layout)
    if engine is None:
        hub.mkdir()
    else:
        shutil.copytree(engine.model, hub)
