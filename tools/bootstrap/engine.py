"""Pulumi itself: an official installation where there is one, else one built from source.

The engine, the Python language host and the Kubernetes provider are Go programs, pinned with their
checksums by the modules under tools/. A machine that reaches package registries but no download
site builds them once into the cache.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap import golang
from bootstrap.console import Console, run_logged
from bootstrap.golang import Program
from bootstrap.layout import Layout, exclusive, replace_text

OLDEST_OFFICIAL = (3, 254, 0)
PROVIDER_VERSION = "4.25.0"
# A folder with this file holds an engine built here, so it is never taken for an official one.
COMPLETE = "breakeven-engine.json"

_PULUMI = "github.com/pulumi/pulumi"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"


ENGINE = Program(
    name="pulumi",
    package=f"{_PULUMI}/pkg/v3/cmd/pulumi",
    minutes=4,
    version_variable=f"{_PULUMI}/sdk/v3/go/common/version.Version",
    module=f"{_PULUMI}/pkg/v3",
)
LANGUAGE_HOST = Program(
    name="pulumi-language-python",
    package=f"{_PULUMI}/sdk/v3/python/cmd/pulumi-language-python",
    minutes=1,
)
PROVIDER = Program(
    name="pulumi-resource-kubernetes",
    package=".",
    minutes=6,
    version_variable=f"{_PROVIDER}/pkg/version.Version",
)
PROGRAMS = (ENGINE, LANGUAGE_HOST, PROVIDER)


@dataclass(frozen=True)
class Engine:
    """A Pulumi that is ready to run; `home` is set where it was built here."""

    bin: Path
    version: str
    home: Path | None = None

    @property
    def pulumi(self) -> Path:
        """The command-line program."""
        return self.bin / "pulumi"


@dataclass(frozen=True)
class Unsuitable:
    """A Pulumi on PATH that is not used, and why."""

    reason: str


def without_built(path: str) -> list[str]:
    """The folders of a PATH without those of engines that were built here."""
    return [
        folder
        for folder in path.split(os.pathsep)
        if folder and not (Path(folder).parent / COMPLETE).exists()
    ]


def find_official(layout: Layout, environ: Mapping[str, str]) -> Engine | Unsuitable | None:
    """Look on PATH for a complete and recent installation that was not built here."""
    search = os.pathsep.join(without_built(environ.get("PATH", "")))
    pulumi = shutil.which("pulumi", path=search)
    if pulumi is None:
        return None
    if shutil.which("pulumi-language-python", path=search) is None:
        return Unsuitable(f"{pulumi} has no pulumi-language-python on PATH")
    version = _version_of(layout, Path(pulumi))
    wanted = ".".join(str(part) for part in OLDEST_OFFICIAL)
    if version is None:
        return Unsuitable(f"`{pulumi} version` did not answer with a version")
    if golang.numbers(version) < OLDEST_OFFICIAL:
        return Unsuitable(f"{pulumi} is {version}, and {wanted} or newer is needed")
    return Engine(bin=Path(pulumi).parent, version=version)


def _version_of(layout: Layout, pulumi: Path) -> str | None:
    """Ask a Pulumi for its version, once: the answer takes longer than all other checks."""
    facts = pulumi.stat()
    key = f"{pulumi.resolve()} {facts.st_size} {facts.st_mtime_ns}"
    memory = layout.cache / "official.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(memory.read_text(encoding="utf-8"))[key])
    try:
        answer = subprocess.run(
            [pulumi, "version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\d+\.\d+\.\d+", answer.stdout)
    if match is None:
        return None
    # A cache that cannot be written to costs time here, and matters only where something is built.
    with suppress(OSError):
        layout.cache.mkdir(parents=True, exist_ok=True)
        replace_text(memory, json.dumps({key: match.group()}))
    return match.group()


def find_built(layout: Layout) -> Engine | None:
    """Find the finished engine of these sources, if there is one."""
    wanted = _key(layout, golang.usable_version(layout, PROGRAMS))
    for folder in sorted((layout.cache / "engine").glob(wanted), reverse=True):
        if (folder / COMPLETE).is_file() and (folder / "bin" / "pulumi").is_file():
            return _built(layout, folder)
    return None


def _built(layout: Layout, folder: Path) -> Engine:
    return Engine(bin=folder / "bin", version=ENGINE.version(layout), home=folder / "home")


def _key(layout: Layout, go_version: str) -> str:
    return golang.key(layout, PROGRAMS, go_version, PROVIDER_VERSION)


def build(layout: Layout, console: Console, labels: Mapping[str, str]) -> Engine:
    """Build what is missing, one program at a time, and install the provider.

    Args:
        layout: The folders of the checkout.
        console: Where progress goes.
        labels: How the step of each program is named in progress lines, by program name.
    """
    go = golang.require(
        layout,
        PROGRAMS,
        purpose="Pulumi",
        otherwise="install Pulumi itself, with its Python language host: then it is not built",
    )
    with exclusive(layout, console):
        folder = layout.cache / "engine" / _key(layout, golang.version_of(layout, go, PROGRAMS))
        workshop = _Workshop(layout, folder, golang.Workbench(layout, folder / "src", go))
        for program in PROGRAMS:
            if not workshop.has(program):
                with console.step(labels[program.name], workshop.announcement(program)):
                    workshop.build(program)
        replace_text(folder / COMPLETE, json.dumps({"pulumi": ENGINE.version(layout)}))
        shutil.rmtree(folder / "src", ignore_errors=True)
    return _built(layout, folder)


@dataclass(frozen=True)
class _Workshop:
    """Builds one program at a time, and puts each where Pulumi looks for it."""

    layout: Layout
    folder: Path
    bench: golang.Workbench

    def has(self, program: Program) -> bool:
        return self._target(program).is_file()

    def announcement(self, program: Program) -> str:
        return golang.announcement(program, self._version(program))

    def build(self, program: Program) -> None:
        source = self.bench.sources(program)
        if program == PROVIDER:
            self._copy_embedded_files(source)
        output = source / f"{program.name}.built"
        self.bench.compile(program, self._version(program), output)
        if program == LANGUAGE_HOST:
            self._copy_python_launcher()
        if program == PROVIDER:
            self._install_provider(output)
        else:
            self._target(program).parent.mkdir(parents=True, exist_ok=True)
            output.replace(self._target(program))

    def _target(self, program: Program) -> Path:
        if program == PROVIDER:
            plugin = f"resource-kubernetes-v{PROVIDER_VERSION}"
            return self.folder / "home" / "plugins" / plugin / program.name
        return self.folder / "bin" / program.name

    def _version(self, program: Program) -> str:
        versions = {
            ENGINE.name: f"v{ENGINE.version(self.layout)}",
            PROVIDER.name: PROVIDER_VERSION,
        }
        return versions.get(program.name, "")

    def _copy_embedded_files(self, source: Path) -> None:
        module = self.bench.module_folder(PROVIDER, _PROVIDER)
        for name in ("schema.json", "terraform-mapping.json"):
            shutil.copyfile(module / "cmd" / PROVIDER.name / name, source / name)

    def _copy_python_launcher(self) -> None:
        # The host starts every program through this script. The engine's own version of it is
        # taken: the one that belongs to the host is older than the Python SDK in use.
        launcher = "pulumi-language-python-exec"
        self.bench.sources(ENGINE)
        module = self.bench.module_folder(ENGINE, f"{_PULUMI}/sdk/v3")
        target = self.folder / "bin" / launcher
        shutil.copyfile(module / "python" / "cmd" / launcher, target)
        target.chmod(0o755)

    def _install_provider(self, binary: Path) -> None:
        run_logged(
            [
                *(str(self._target(ENGINE)), "plugin", "install", "resource", "kubernetes"),
                *(PROVIDER_VERSION, "--file", str(binary), "--reinstall"),
            ],
            cwd=self.folder,
            env={
                **os.environ,
                "PULUMI_HOME": str(self.folder / "home"),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
            log=self.bench.log(PROVIDER),
        )
        binary.unlink()
