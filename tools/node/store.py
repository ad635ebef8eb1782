"""What containerd keeps from one start to the next: images, imported once."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from bootstrap.console import SetupError
from bootstrap.layout import replace_text
from node.archives import write
from node.places import Kept

NAMESPACE = "k8s.io"
"""What the kubelet's containers and images belong to in containerd."""

_PIPE_BYTES = 1 << 20
_UNPACKED = "/var/lib/containerd"

Layers = Callable[[Path], Sequence[Path]]


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        name: Its name.
        key: Another one wherever its content could differ.
        layers: Writes its layers into a folder.
        config: What its containers get.
        tag: Its tag.
        linked: A folder of this machine, and where its files lie in the image. They are linked into
            what containerd has unpacked: gigabytes are neither copied nor kept twice.
    """

    name: str
    key: str
    layers: Layers
    config: Mapping[str, Any] = field(default_factory=dict)
    tag: str = "1"
    linked: tuple[Path, str] | None = None


@dataclass(frozen=True)
class Store:
    """The containerd of a node, which must run.

    Attributes:
        kept: Where its images are, and the list of them.
        ctr: The program that asks it.
        inside: What enters the node's namespaces, before a command; nothing where this runs there.
    """

    kept: Kept
    ctr: Path
    inside: tuple[str, ...] = ()

    def ensure(self, image: Image, say: Callable[[str], None]) -> None:
        """Import an image that is not there yet, or was made of something else."""
        known = references(self.kept)
        if known.get(image.name, {}).get("key") == image.key:
            return
        say(f"image {image.name}: making it, once")
        made = self._import(image)
        known[image.name] = {"key": image.key, "tag": image.tag, "digest": made}
        replace_text(self.kept.imported, json.dumps(known, indent=1))

    def forget_containers(self) -> None:
        """Delete what containerd remembers of containers of an earlier node; images stay."""
        listed = self._run("containers", "ls", "-q")
        for container in listed.split():
            self._run("containers", "rm", container, must=False)

    def _import(self, image: Image) -> str:
        folder = self.kept.making
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            name = f"{image.name}:{image.tag}"
            self._run("images", "rm", name, must=False)
            layers = image.layers(folder)
            # By its own hand: the service for transfers names images otherwise.
            command = self._command("images", "import", "--local", "-")
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            ) as importing:
                archive = cast("IO[bytes]", importing.stdin)
                # Whoever waits for a processor should find much to do once it has one.
                fcntl.fcntl(archive, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
                made = write(archive, name, layers, image.config)
            if importing.returncode != 0:
                raise SetupError(
                    what=f"containerd does not take the image {image.name}",
                    found=f"exit code {importing.returncode}",
                    fix=["read the log of containerd", "make room on the disk"],
                )
            # Stacks name images with their digest; a name that is not there would be pulled.
            self._run("images", "tag", "--force", name, f"{image.name}@{made}")
            if image.linked is not None:
                self._link(name, *image.linked)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return made

    def _link(self, name: str, folder: Path, target: str) -> None:
        """Link a folder's files into the uppermost layer that containerd has unpacked."""
        mount = self.kept.making / "unpacked"
        mount.mkdir()
        self._run("images", "mount", name, str(mount))
        reading = [*self.inside, "cat", "/proc/self/mounts"]
        mounted = subprocess.run(reading, capture_output=True, text=True, check=True).stdout
        pattern = rf"^overlay {re.escape(str(mount))} .*lowerdir=({_UNPACKED}/[^:,\s]+)"
        [uppermost] = re.findall(pattern, mounted, re.MULTILINE)
        self._run("images", "unmount", "--rm", str(mount))
        # By its own path: no file is linked from one mount to another of the same disk.
        place = self.kept.images / Path(uppermost).relative_to(_UNPACKED) / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        command = ["cp", "--archive", "--link", str(folder), str(place)]
        subprocess.run(command, check=True, capture_output=True)

    def _run(self, *arguments: str, must: bool = True) -> str:
        command = self._command(*arguments)
        return subprocess.run(command, check=must, capture_output=True, text=True).stdout

    def _command(self, *arguments: str) -> list[str]:
        return [*self.inside, str(self.ctr), f"--namespace={NAMESPACE}", *arguments]


def references(kept: Kept) -> dict[str, dict[str, str]]:
    """The images that containerd has: key, tag and digest by name."""
    if not kept.imported.is_file():
        return {}
    found: dict[str, dict[str, str]] = json.loads(kept.imported.read_text(encoding="utf-8"))
    return found


def reference(kept: Kept, name: str) -> str:
    """The name of an image with its tag and digest, as stacks state it.

    Raises:
        SetupError: It was not made.
    """
    found = references(kept).get(name)
    if found is None:
        raise SetupError(
            what=f"the node has no image {name}",
            found=", ".join(references(kept)) or "none at all",
            fix=["python3 tools/bootstrap vllm", "make node-stop node"],
        )
    return f"{name}:{found['tag']}@{found['digest']}"
