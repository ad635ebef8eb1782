"""Pulumi itself: an official installation where there is one, else one built from source.

The engine, the Python language host and the Kubernetes provider are Go programs, pinned with their
checksums by the modules under tools/. A machine that reaches package registries but no download
site builds them once into the cache.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import Console, SetupError, run_logged
from bootstrap.layout import Layout, digest, exclusive, replace_text

OLDEST_OFFICIAL = (3, 254, 0)
PROVIDER_VERSION = "4.25.0"
# Without symbol tables the three programs take a third less room on disk.
LINK_FLAGS = "-s -w"
# A folder with this file holds an engine built here, so it is never taken for an official one.
COMPLETE = "breakeven-engine.json"

_PULUMI = "github.com/pulumi/pulumi"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"


@dataclass(frozen=True)
class Program:
    """One Go program that is built from a module folder under tools/."""

    name: str
    package: str
    minutes: int
    version_variable: str = ""

    def sources(self, layout: Layout) -> list[Path]:
        """The files of the checkout from which the program is built."""
        folder = layout.root / "tools" / self.name
        return [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))]


ENGINE = Program(
    name="pulumi",
    package=f"{_PULUMI}/pkg/v3/cmd/pulumi",
    minutes=4,
    version_variable=f"{_PULUMI}/sdk/v3/go/common/version.Version",
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
    if _numbers(version) < OLDEST_OFFICIAL:
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


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def find_built(layout: Layout) -> Engine | None:
    """Find the finished engine of these sources, if there is one.

    Where Go is missing or too old to build one, an engine built by any Go will do: a cache that
    was made elsewhere stays usable.
    """
    go = shutil.which("go")
    version = _go_version(layout, go) if go else "go0"
    if _numbers(version) < _numbers(_go_needed(layout)):
        version = "*"
    for folder in sorted((layout.cache / "engine").glob(_key(layout, version)), reverse=True):
        if (folder / COMPLETE).is_file() and (folder / "bin" / "pulumi").is_file():
            return _built(layout, folder)
    return None


def _built(layout: Layout, folder: Path) -> Engine:
    return Engine(bin=folder / "bin", version=_pulumi_version(layout), home=folder / "home")


def _key(layout: Layout, go_version: str) -> str:
    sources = [file for program in PROGRAMS for file in program.sources(layout)]
    recipe = repr([(program.package, program.version_variable) for program in PROGRAMS])
    what = digest(sources, recipe, LINK_FLAGS, PROVIDER_VERSION)[:12]
    return f"{what}-{go_version}-{sys.platform}-{platform.machine().lower()}"


def _pulumi_version(layout: Layout) -> str:
    text = (layout.root / "tools" / ENGINE.name / "go.mod").read_text(encoding="utf-8")
    match = re.search(rf"{_PULUMI}/pkg/v3 v(\S+)", text)
    return match.group(1) if match else "of tools/pulumi/go.mod"


def build(layout: Layout, console: Console, labels: Mapping[str, str]) -> Engine:
    """Build what is missing, one program at a time, and install the provider.

    Args:
        layout: The folders of the checkout.
        console: Where progress goes.
        labels: How the step of each program is named in progress lines, by program name.
    """
    go = _require_go(layout)
    with exclusive(layout, console):
        folder = layout.cache / "engine" / _key(layout, _go_version(layout, go))
        workshop = _Workshop(layout, folder, go)
        for program in PROGRAMS:
            if not workshop.has(program):
                with console.step(labels[program.name], workshop.announcement(program)):
                    workshop.build(program)
        replace_text(folder / COMPLETE, json.dumps({"pulumi": _pulumi_version(layout)}))
        shutil.rmtree(folder / "src", ignore_errors=True)
    return _built(layout, folder)


def _require_go(layout: Layout) -> str:
    needed = _go_needed(layout)
    ways_out = [
        f"install Go {needed} or newer and put it on PATH",
        "install Pulumi itself, with its Python language host: then nothing is built",
    ]
    go = shutil.which("go")
    if go is None:
        raise SetupError(
            what="Go is missing, and Pulumi has to be built from source on this machine",
            found="no program `go` on PATH",
            allowed=f"Go {needed} or newer, as tools/pulumi/go.mod says",
            fix=ways_out,
        )
    version = _go_version(layout, go)
    if _numbers(version) < _numbers(needed):
        raise SetupError(
            what=f"{go} is too old to build Pulumi",
            found=version,
            allowed=f"Go {needed} or newer, as tools/pulumi/go.mod says",
            fix=ways_out,
        )
    return go


def _go_needed(layout: Layout) -> str:
    modules = [program.sources(layout)[0].read_text(encoding="utf-8") for program in PROGRAMS]
    versions: list[str] = re.findall(r"^go (\S+)$", "\n".join(modules), re.MULTILINE)
    return max(versions, key=_numbers)


def _go_version(layout: Layout, go: str) -> str:
    # Asked inside the module, Go answers for the toolchain that it would switch to for it.
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=layout.root / "tools" / ENGINE.name,
        env={**os.environ, "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    return next(iter(answer.stdout.split()), "unknown")


@dataclass(frozen=True)
class _Workshop:
    """Builds one program at a time, in copies of the module folders that lie in the cache."""

    layout: Layout
    folder: Path
    go: str

    def has(self, program: Program) -> bool:
        return self._target(program).is_file()

    def announcement(self, program: Program) -> str:
        what = f"{program.name} {self._version(program)}".rstrip()
        unit = "minute" if program.minutes == 1 else "minutes"
        return f"building {what} from source (about {program.minutes} {unit}, once)"

    def build(self, program: Program) -> None:
        source = self._copy_sources(program)
        if program == PROVIDER:
            self._copy_embedded_files(source)
        output = source / f"{program.name}.built"
        self._run_go(program, "build", *self._link(program), "-o", str(output), program.package)
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

    def _copy_sources(self, program: Program) -> Path:
        # The build needs generated files beside the sources, and Go may touch go.sum: neither may
        # show up in the checkout.
        source = self.folder / "src" / program.name
        source.mkdir(parents=True, exist_ok=True)
        for file in program.sources(self.layout):
            shutil.copyfile(file, source / file.name)
        return source

    def _link(self, program: Program) -> list[str]:
        flags = LINK_FLAGS
        if program.version_variable:
            flags += f" -X {program.version_variable}={self._version(program)}"
        return ["-ldflags", flags]

    def _version(self, program: Program) -> str:
        versions = {
            ENGINE.name: f"v{_pulumi_version(self.layout)}",
            PROVIDER.name: PROVIDER_VERSION,
        }
        return versions.get(program.name, "")

    def _copy_embedded_files(self, source: Path) -> None:
        module = self._module_folder(PROVIDER, _PROVIDER)
        for name in ("schema.json", "terraform-mapping.json"):
            shutil.copyfile(module / "cmd" / PROVIDER.name / name, source / name)

    def _copy_python_launcher(self) -> None:
        # The host starts every program through this script. The engine's own version of it is
        # taken: the one that belongs to the host is older than the Python SDK in use.
        launcher = "pulumi-language-python-exec"
        self._copy_sources(ENGINE)
        module = self._module_folder(ENGINE, f"{_PULUMI}/sdk/v3")
        target = self.folder / "bin" / launcher
        shutil.copyfile(module / "python" / "cmd" / launcher, target)
        target.chmod(0o755)

    def _module_folder(self, program: Program, module: str) -> Path:
        listing = self.folder / "src" / program.name / "module.json"
        listing.unlink(missing_ok=True)
        self._run_go(program, "mod", "download", "-json", module, log=listing)
        text = listing.read_text(encoding="utf-8")
        # The log begins with the command; the answer is the JSON object below it.
        return Path(json.loads(text[text.index("\n{") :])["Dir"])

    def _run_go(self, program: Program, *arguments: str, log: Path | None = None) -> None:
        run_logged(
            [self.go, *arguments],
            cwd=self.folder / "src" / program.name,
            env={**os.environ, "GOWORK": "off"},
            log=log or self.layout.cache / "logs" / f"{program.name}.log",
        )

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
            log=self.layout.cache / "logs" / f"{PROVIDER.name}.log",
        )
        binary.unlink()
