"""Go programs, built from the modules under tools/ that pin them with their checksums."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import SetupError, run_logged
from bootstrap.layout import Layout, digest

# Without symbol tables programs take a third less room on disk.
LINK_FLAGS = "-s -w"


@dataclass(frozen=True)
class Patch:
    """A piece of a module's source that is built otherwise than it was published.

    Attributes:
        module: The Go module.
        file: Its file, relative to the module.
        old: Go source that the file has exactly once.
        new: What stands there instead.
    """

    module: str
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Program:
    """One Go program and where it comes from.

    Attributes:
        name: What the program is called.
        package: The Go package that is built.
        minutes: About how long that takes where nothing is built yet.
        version_variable: The Go variable that tells the program its version, if it has one.
        module: The Go module whose pinned version is the program's version.
        folder: The folder under tools/, where it is not named as the program is.
        patches: What is changed in the modules that it is built from.
        static: Whether it is linked without libraries of the machine, to run in any container.
    """

    name: str
    package: str
    minutes: int
    version_variable: str = ""
    module: str = ""
    folder: str = ""
    patches: tuple[Patch, ...] = ()
    static: bool = False

    def home(self, layout: Layout) -> Path:
        """The module folder of the checkout."""
        return layout.root / "tools" / (self.folder or self.name)

    def sources(self, layout: Layout) -> list[Path]:
        """The files of the checkout from which the program is built."""
        home = self.home(layout)
        return [home / "go.mod", home / "go.sum", *sorted(home.glob("*.go"))]

    def version(self, layout: Layout) -> str:
        """The version that the module folder pins, without its v; its folder if it pins none."""
        match = re.search(rf"\b{re.escape(self.module)} v(\S+)", _module_file(layout, self))
        return match.group(1) if match else f"(tools/{self.home(layout).name})"


def numbers(version: str) -> tuple[int, ...]:
    """The first three numbers of a version, to compare it by."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def key(layout: Layout, programs: Sequence[Program], go_version: str, *further: str) -> str:
    """Name what is built: another name wherever the outcome could differ."""
    sources = [file for program in programs for file in program.sources(layout)]
    recipe = repr([(each.package, each.version_variable, *each.patches) for each in programs])
    recipe += "".join(f"{each.name} static" for each in programs if each.static)
    what = digest(sources, recipe, LINK_FLAGS, *further)[:12]
    return f"{what}-{go_version}-{sys.platform}-{platform.machine().lower()}"


def usable_version(layout: Layout, programs: Sequence[Program]) -> str:
    """The Go version for a key under which finished programs are looked for.

    Where Go is missing or too old to build them, those built by any Go will do (`*`): a cache that
    was made elsewhere stays usable.
    """
    go = shutil.which("go")
    strictest = _strictest(layout, programs)
    version = version_of(layout, go, programs) if go else "go0"
    return "*" if numbers(version) < numbers(_needed(layout, strictest)) else version


def require(
    layout: Layout, programs: Sequence[Program], *, purpose: str, otherwise: str = ""
) -> str:
    """Find a Go that can build programs.

    Args:
        layout: The folders of the checkout.
        programs: What is to be built.
        purpose: How messages call it.
        otherwise: What the user can do instead of installing Go.

    Raises:
        SetupError: There is none, or it is too old.
    """
    strictest = _strictest(layout, programs)
    needed = _needed(layout, strictest)
    allowed = f"Go {needed} or newer, as tools/{strictest.home(layout).name}/go.mod says"
    ways_out = [f"install Go {needed} or newer and put it on PATH"]
    ways_out += [otherwise] if otherwise else []
    go = shutil.which("go")
    if go is None:
        raise SetupError(
            what=f"Go is missing, and {purpose} has to be built from source on this machine",
            found="no program `go` on PATH",
            allowed=allowed,
            fix=ways_out,
        )
    version = version_of(layout, go, programs)
    if numbers(version) < numbers(needed):
        raise SetupError(
            what=f"{go} is too old to build {purpose}", found=version, allowed=allowed, fix=ways_out
        )
    return go


def version_of(layout: Layout, go: str, programs: Sequence[Program]) -> str:
    """The version of the Go that would build programs."""
    # Asked inside the module, Go answers for the toolchain that it would switch to for it.
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=_strictest(layout, programs).home(layout),
        env={**os.environ, "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    return next(iter(answer.stdout.split()), "unknown")


def _strictest(layout: Layout, programs: Sequence[Program]) -> Program:
    return max(programs, key=lambda program: numbers(_needed(layout, program)))


def _needed(layout: Layout, program: Program) -> str:
    match = re.search(r"^go (\S+)$", _module_file(layout, program), re.MULTILINE)
    return match.group(1) if match else "1"


def _module_file(layout: Layout, program: Program) -> str:
    return (program.home(layout) / "go.mod").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Workbench:
    """Runs Go in copies of the module folders that lie in the cache.

    A build needs generated files next to the sources, and Go may touch go.sum: neither may show up
    in the checkout.
    """

    layout: Layout
    folder: Path
    go: str

    def sources(self, program: Program) -> Path:
        """Copy the module folder of a program, and say where to."""
        copy = self.folder / program.name
        copy.mkdir(parents=True, exist_ok=True)
        for file in program.sources(self.layout):
            shutil.copyfile(file, copy / file.name)
        return copy

    def compile(self, program: Program, version: str, output: Path) -> None:
        """Build a program from its copied sources."""
        flags = LINK_FLAGS
        if program.version_variable:
            flags += f" -X {program.version_variable}={version}"
        for module in dict.fromkeys(patch.module for patch in program.patches):
            self._patch(program, module)
        self.run(program, "build", "-ldflags", flags, "-o", str(output), program.package)

    def run(self, program: Program, *arguments: str, log: Path | None = None) -> None:
        """Run Go in the copied module folder, with its output in the program's log."""
        run_logged(
            [self.go, *arguments],
            cwd=self.folder / program.name,
            env={**os.environ, "GOWORK": "off", **({"CGO_ENABLED": "0"} if program.static else {})},
            log=log or self.log(program),
        )

    def module_folder(self, program: Program, module: str) -> Path:
        """Fetch a module that a program's module folder pins, and say where its files lie."""
        listing = self.folder / program.name / "module.json"
        listing.unlink(missing_ok=True)
        self.run(program, "mod", "download", "-json", module, log=listing)
        text = listing.read_text(encoding="utf-8")
        # The log begins with the command; the answer is the JSON object below it.
        return Path(json.loads(text[text.index("\n{") :])["Dir"])

    def _patch(self, program: Program, module: str) -> None:
        """Let the program be built from a copy of a module in which the patches are made."""
        copy = self.folder / program.name / "patched" / module.replace("/", "-")
        shutil.copytree(self.module_folder(program, module), copy, copy_function=shutil.copyfile)
        for folder in (copy, *copy.rglob("*/")):
            folder.chmod(0o755)  # in Go's cache they cannot be written to
        for patch in program.patches:
            if patch.module != module:
                continue
            file = copy / patch.file
            text = file.read_text(encoding="utf-8")
            if (found := text.count(patch.old)) != 1:
                raise SetupError(
                    what=f"{module} cannot be changed as {program.name} needs it",
                    found=f"{patch.file} has `{patch.old}` {found} times",
                    allowed="exactly once",
                    fix=["correct the program's patches in tools/bootstrap/cluster.py"],
                )
            file.write_text(text.replace(patch.old, patch.new), encoding="utf-8")
        self.run(program, "mod", "edit", f"-replace={module}={copy}")

    def log(self, program: Program) -> Path:
        """The file that keeps the output of a program's build."""
        return self.layout.cache / "logs" / f"{program.name}.log"


def announcement(program: Program, version: str) -> str:
    """What a progress line says while a program is built."""
    what = f"{program.name} {version}".rstrip()
    unit = "minute" if program.minutes == 1 else "minutes"
    return f"building {what} from source (about {program.minutes} {unit}, once)"
