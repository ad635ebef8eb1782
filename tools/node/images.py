"""The images of the node: made once, kept by containerd from one start to the next."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from bootstrap.console import Console, SetupError, run_logged
from bootstrap.layout import Layout, digest, replace_text
from bootstrap.vllm import ON_A_CPU, Vllm, version
from node import gateway
from node.archives import File, files_layer, write
from node.parts import NAMESPACE
from node.places import Places

_DEBIAN = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The release of Debian whose Python runs what pip installed for ours."""
_PACKAGES = ("ca-certificates", "libgomp1", "libnuma1", "libstdc++6", "python3")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES = "etc/ssl/outside.crt"
_AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
_ENGINE = "opt/vllm"

# vLLM as stacks start it, but that it does not compile a model of two layers for a minute.
_VLLM = f"""#!/{_ENGINE}/bin/python3
import sys

from vllm.entrypoints.cli.main import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        sys.argv.append("--enforce-eager")
    sys.exit(main())
"""

_PIPE_BYTES = 1 << 20
_UNPACKED = "/var/lib/containerd"
_CTR = ["ctr", f"--namespace={NAMESPACE}"]

PAUSE = "node.local/pause"
COREDNS = "node.local/coredns"
DEBIAN = "node.local/debian"
ENGINE = "node.local/vllm-openai-cpu"  # named as the builds are: stacks refuse the wrong one

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


def base(layout: Layout) -> Path:
    """Where the layer with Debian is, or will be."""
    return layout.cache / "node" / f"debian-{digest([], _suite(), *_PACKAGES)[:12]}.tar"


def ensure_base(layout: Layout, console: Console, label: str) -> None:
    """Install Debian into a layer, from the mirror that this machine uses, verified by its keys."""
    file = base(layout)
    if file.is_file():
        console.line(f"{label}: up to date in {file}")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"unfinished-{file.name}")
    with console.step(label, f"installing Debian {_suite()} with Python (a minute, once)"):
        run_logged(
            [
                *("mmdebstrap", "--variant=minbase", "--format=tar", "--skip=output/dev"),
                "--dpkgopt=force-unsafe-io",  # nothing that a crash cuts off is kept
                *(f"--include={','.join(_PACKAGES)}", _suite(), str(beside)),
            ],
            cwd=layout.root,
            env={**os.environ, "SOURCE_DATE_EPOCH": "0"},
            log=layout.cache / "logs" / "node-debian.log",
        )
        beside.rename(file)


def ensure(
    layout: Layout,
    places: Places,
    programs: Mapping[str, Path],
    engine: Vllm | None,
    say: Callable[[str], None],
) -> None:
    """Make and import what containerd does not have yet; it must run.

    Args:
        layout: The folders of the checkout.
        places: Where the node keeps its files.
        programs: Programs by name.
        engine: vLLM for CPUs; None where it is not installed, which leaves its image out.
        say: Takes a progress line for each image that is made.
    """
    known = references(places)
    for image in _images(layout, places, programs, engine):
        if known.get(image.name, {}).get("key") == image.key:
            continue
        say(f"image {image.name}: making it, once")
        made = _import(image, places)
        known[image.name] = {"key": image.key, "tag": image.tag, "digest": made}
        replace_text(places.imported, json.dumps(known, indent=1))


def missing(
    layout: Layout, places: Places, programs: Mapping[str, Path], engine: Vllm | None
) -> list[str]:
    """Names of images that the next start makes; arguments as of `ensure`."""
    if not base(layout).is_file() or not places.authority.is_dir():
        return [PAUSE, COREDNS, DEBIAN, ENGINE]
    known = references(places)
    made = _images(layout, places, programs, engine)
    return [each.name for each in made if known.get(each.name, {}).get("key") != each.key]


def references(places: Places) -> dict[str, dict[str, str]]:
    """The images that containerd has: key, tag and digest by name."""
    if not places.imported.is_file():
        return {}
    found: dict[str, dict[str, str]] = json.loads(places.imported.read_text(encoding="utf-8"))
    return found


def reference(places: Places, name: str) -> str:
    """The name of an image with its tag and digest, as stacks state it.

    Raises:
        SetupError: It was not made.
    """
    found = references(places).get(name)
    if found is None:
        raise SetupError(
            what=f"the node has no image {name}",
            found=", ".join(references(places)) or "none at all",
            fix=["python3 tools/bootstrap vllm", "make node-stop node"],
        )
    return f"{name}:{found['tag']}@{found['digest']}"


def _images(
    layout: Layout, places: Places, programs: Mapping[str, Path], engine: Vllm | None
) -> Iterator[Image]:
    for name, title in ((PAUSE, "pause"), (COREDNS, "coredns")):
        program = programs[title]
        yield Image(
            name,
            program.parent.parent.name,
            _Program(program),
            {"Entrypoint": [f"/{title}"]},
        )
    debian = base(layout)
    certificate = (places.authority / "ca.crt").read_bytes()
    trusted = File(_CERTIFICATES, certificate)
    environment = {
        "PATH": _PATH,
        "SSL_CERT_FILE": f"/{_CERTIFICATES}",
        "REQUESTS_CA_BUNDLE": f"/{_CERTIFICATES}",
    }
    yield Image(
        DEBIAN,
        digest([], debian.name, certificate.decode()),
        lambda folder: [debian, files_layer(folder / "trusted", [trusted])],
        {"Env": _variables(environment)},
    )
    for each in gateway.images(layout):
        yield Image(
            each.name,
            digest([], debian.name, each.key, certificate.decode()),
            _Programs(debian, each, File(_AUTHORITIES, certificate)),
            {"Env": _variables({"PATH": _PATH})},
            tag=each.tag,
        )
    if engine is not None:
        [packages] = engine.folder.glob("lib/python*/site-packages")
        python = packages.parent.name
        environment = {**environment, **ON_A_CPU, "PATH": f"/{_ENGINE}/bin:{_PATH}"}
        yield Image(
            ENGINE,
            digest(
                [],
                *(debian.name, engine.folder.name, _VLLM),
                *(certificate.decode(), repr(environment)),
            ),
            lambda folder: [debian, files_layer(folder / "files", [*_command(python), trusted])],
            {"Env": _variables(environment), "Entrypoint": ["vllm"]},
            tag=f"v{version(layout)}",
            linked=(packages, f"{_ENGINE}/lib/{python}/site-packages"),
        )


@dataclass(frozen=True)
class _Program:
    """The layers of an image with one program and nothing else."""

    program: Path

    def __call__(self, folder: Path) -> Sequence[Path]:
        file = File(self.program.name, self.program.read_bytes(), 0o755)
        return [files_layer(folder / "program", [file])]


@dataclass(frozen=True)
class _Programs:
    """The layers of one of the gateway's images."""

    debian: Path
    image: gateway.GatewayImage
    trusted: File

    def __call__(self, folder: Path) -> Sequence[Path]:
        files = [*self.image.files(), self.trusted]
        return [self.debian, files_layer(folder / "programs", files)]


def _command(python: str) -> list[File]:
    """A virtual environment upon Debian's Python, and vLLM's command in it."""
    settings = b"home = /usr/bin\ninclude-system-site-packages = false\n"
    return [
        File(f"{_ENGINE}/bin/python3", f"/usr/bin/{python}".encode(), link=True),
        File(f"{_ENGINE}/pyvenv.cfg", settings),
        File(f"{_ENGINE}/bin/vllm", _VLLM.encode(), 0o755),
    ]


def _import(image: Image, places: Places) -> str:
    folder = places.store / "making"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        name = f"{image.name}:{image.tag}"
        _ctr("images", "rm", name, must=False)
        layers = image.layers(folder)
        command = [*_CTR, "images", "import", "-"]
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
        _ctr("images", "tag", "--force", name, f"{image.name}@{made}")
        if image.linked is not None:
            _link(places, name, *image.linked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def _link(places: Places, name: str, folder: Path, target: str) -> None:
    """Link the files of a folder into the uppermost of the layers that containerd has unpacked."""
    mount = places.store / "making" / "unpacked"
    mount.mkdir()
    _ctr("images", "mount", name, str(mount))
    mounted = Path("/proc/self/mounts").read_text(encoding="utf-8")
    pattern = rf"^overlay {re.escape(str(mount))} .*lowerdir={_UNPACKED}/([^:,\s]+)"
    [uppermost] = re.findall(pattern, mounted, re.MULTILINE)
    _ctr("images", "unmount", "--rm", str(mount))
    # By its own path: no file is linked from one mount to another, although the disk is the same.
    place = places.images / uppermost / target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    command = ["cp", "--archive", "--link", str(folder), str(place)]
    subprocess.run(command, check=True, capture_output=True)


def _ctr(*arguments: str, must: bool = True) -> None:
    command = [*_CTR, *arguments]
    subprocess.run(command, check=must, capture_output=True, text=True)


def _variables(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _suite() -> str:
    version = sys.version_info[:2]
    if version not in _DEBIAN:
        numbers = ", ".join(f"{major}.{minor}" for major, minor in _DEBIAN)
        raise SetupError(
            what="images cannot be made with this Python: no release of Debian has the same one",
            found=f"{version[0]}.{version[1]}",
            allowed=numbers,
            fix=["make node PYTHON=python3.11"],
        )
    return _DEBIAN[version]
