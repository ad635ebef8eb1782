"""Throw-away checkouts in which the real bootstrap runs as a subprocess."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.layout import digest
from bootstrap.packages import REQUIREMENTS

ROOT = Path(__file__).resolve().parents[2]

# Stands in for an official Pulumi: it answers `version`, makes stacks as the local backend does,
# notes what it was called with, and does nothing else.
STAND_IN_PULUMI = """
    import json, os, pathlib, sys
    arguments = sys.argv[1:]
    if arguments == ["version"]:
        print("VERSION")
    elif arguments[:2] == ["stack", "init"]:
        folder = pathlib.Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://").partition("?")[0])
        stack = folder / ".pulumi/stacks/breakeven" / f"{arguments[2]}.json"
        stack.parent.mkdir(parents=True, exist_ok=True)
        stack.write_text("{}")
        settings = pathlib.Path(arguments[arguments.index("--cwd") + 1])
        (settings / f"Pulumi.{arguments[2]}.yaml").write_text("encryptionsalt: v1:made-by-init\\n")
    else:
        print(json.dumps({"arguments": arguments, "environ": dict(os.environ)}))
"""


@dataclass
class Answer:
    """What a run of the bootstrap came to."""

    code: int
    output: str
    errors: str

    def report(self) -> dict[str, object]:
        """What the stand-in for Pulumi was called with."""
        found: dict[str, object] = json.loads(self.output)
        return found


@dataclass
class Checkout:
    """A small copy of this repository, with a PATH that holds only what a test puts there."""

    root: Path
    programs: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.root / ".state"

    @property
    def cache(self) -> Path:
        return self.root / ".cache"

    @property
    def stack_file(self) -> Path:
        return self.root / "stacks" / "Pulumi.dev.yaml"

    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.programs), "HOME": str(self.root.parent), **self.environ}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "tools/bootstrap", *arguments]

    def bootstrap(self, *arguments: str, cwd: Path | None = None) -> Answer:
        command = self.command(*arguments)
        command[1] = str(self.root / command[1])
        answer = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in answer.stderr, answer.stderr
        return Answer(answer.returncode, answer.stdout, answer.stderr)

    def add_program(self, name: str, source: str) -> Path:
        program = self.programs / name
        program.write_text(f"#!{sys.executable}\n{textwrap.dedent(source)}", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def add_official_pulumi(self, version: str = "v3.300.0") -> Path:
        self.add_program("pulumi-language-python", "")
        return self.add_program("pulumi", STAND_IN_PULUMI.replace("VERSION", version))

    def add_go(self, version: str = "go1.99.0", build: str = "") -> Path:
        """A stand-in for Go that names its version and does `build` for everything else."""
        source = f"import sys\nif sys.argv[1:] == ['env', 'GOVERSION']:\n    print('{version}')\n"
        body = textwrap.indent(textwrap.dedent(build) or "pass", "    ")
        return self.add_program("go", f"{source}else:\n{body}\n")

    def pretend_packages_are_installed(self, packages: str = "runtime") -> None:
        """Leave the stamp of a finished virtual environment, whose Python is the one in use."""
        (self.root / ".venv" / "bin").mkdir(parents=True)
        (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        stamp = {
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "packages": packages,
            "requirements": digest([self.root / REQUIREMENTS[packages]]),
        }
        (self.root / ".venv" / "breakeven.json").write_text(json.dumps(stamp), encoding="utf-8")

    def add_stack_state(self, text: str = "{}") -> Path:
        stack = self.state / ".pulumi" / "stacks" / "breakeven" / "dev.json"
        stack.parent.mkdir(parents=True)
        stack.write_text(text, encoding="utf-8")
        return stack

    def files(self) -> dict[str, str]:
        """Every file outside Python's caches, with its text."""
        return {
            str(file.relative_to(self.root)): file.read_text(encoding="utf-8")
            for file in sorted(self.root.rglob("*"))
            if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts
        }


def make_checkout(root: Path) -> Checkout:
    programs = root.parent / f"{root.name}-programs"
    programs.mkdir()
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "stacks").mkdir()
    (root / "stacks" / "Pulumi.dev.yaml").write_text(
        "# A comment that stays.\nconfig:\n  breakeven:model: small\n", encoding="utf-8"
    )
    (root / "stacks" / "Pulumi.on-prem.yaml").write_text("config: {}\n", encoding="utf-8")
    (root / "Pulumi.yaml").write_text(
        "name: breakeven\nruntime: python\nstackConfigDir: stacks\n", encoding="utf-8"
    )
    (root / "requirements.txt").write_text("# nothing to fetch\n", encoding="utf-8")
    (root / "requirements-dev.txt").write_text("# nothing to fetch either\n", encoding="utf-8")
    return Checkout(root, programs)
