"""The images of the node: made once, kept by containerd from one start to the next."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import Console, SetupError, run_logged
from bootstrap.layout import Layout, digest
from bootstrap.vllm import Vllm, version
from node import engine as engines
from node import gateway, store
from node.archives import File, files_layer
from node.engine import PATH
from node.places import Places
from node.store import Image, Store

_DEBIAN = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The release of Debian whose Python runs what pip installed for ours."""
_PACKAGES = ("ca-certificates", "libgomp1", "libnuma1", "libstdc++6", "python3")
_CERTIFICATES = "etc/ssl/outside.crt"
_AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"

PAUSE = "node.local/pause"
COREDNS = "node.local/coredns"
DEBIAN = "node.local/debian"


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


def ensure(  # noqa: PLR0913  # what images are made of, and where they go
    layout: Layout,
    places: Places,
    programs: Mapping[str, Path],
    engine: Vllm | None,
    *,
    stores: Sequence[Store],
    say: Callable[[str], None],
) -> None:
    """Make and import what containerd does not have yet; it must run.

    Args:
        layout: The folders of the checkout.
        places: Where the node keeps its files.
        programs: Programs by name.
        engine: vLLM for CPUs; None where it is not installed, which leaves its image out.
        stores: The containerd of each node.
        say: Takes a progress line for each image that is made.
    """
    for image in _images(layout, places, programs, engine):
        for each in stores:
            each.ensure(image, say)


def missing(
    layout: Layout, places: Places, programs: Mapping[str, Path], engine: Vllm | None
) -> list[str]:
    """Names of images that the next start makes; arguments as of `ensure`."""
    if not base(layout).is_file() or not places.authority.is_dir():
        return [PAUSE, COREDNS, DEBIAN, engines.ENGINE, engines.STAND_IN]
    known = references(places)
    made = _images(layout, places, programs, engine)
    return [each.name for each in made if known.get(each.name, {}).get("key") != each.key]


def references(places: Places) -> dict[str, dict[str, str]]:
    """The images that the first node has: key, tag and digest by name."""
    return store.references(places.kept())


def reference(places: Places, name: str) -> str:
    """The name of an image with its tag and digest, as stacks state it.

    Raises:
        SetupError: It was not made.
    """
    return store.reference(places.kept(), name)


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
        "PATH": PATH,
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
            {"Env": _variables({"PATH": PATH})},
            tag=each.tag,
        )
    if engine is not None:
        tag = f"v{version(layout)}"
        yield from engines.images(debian, engine, trusted, environment, tag)


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
