"""Files of this machine that go into a bundle, and their place in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of
from breakeven.bundle.lock import LockedFile
from breakeven.settings.policy import PolicySettings

PROGRAM = "program"
CACHE = "cache"
WHEELS = "wheels"
DEFINITIONS = "crds"

_TREES = ("charts", "components", "docs", "policies", "stacks", "tools")
SINGLE = (
    "__main__.py",
    "LICENSE",
    "Makefile",
    "Pulumi.yaml",
    "pyproject.toml",
    "README.md",
    "requirements.txt",
)
_STACKS = "stacks"
_READ_FOR_ALL = ("models", "prices")
_LEFT_OUT = {"__pycache__"}
_ENGINE_COMPLETE = "breakeven-engine.json"
# What Pulumi writes to its home while it runs; only plugins belong to the engine.
_ENGINE_PARTS = ("bin", "home/plugins", _ENGINE_COMPLETE)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A file of this machine and its place in the bundle."""

    path: str
    file: Path
    executable: bool = False

    def locked(self) -> LockedFile:
        """Reads the file, and returns its entry of the lock."""
        return LockedFile(
            self.path, self.file.stat().st_size, sha256_of(self.file), executable=self.executable
        )


def program_files(root: Path, stack: str) -> list[Origin]:
    """Returns this program as deployed: without tests, build outputs and hidden files.

    Args:
        root: Folder of the project.
        stack: The only stack file that is included; others may hold private prices.
    """
    files = [root / name for name in SINGLE]
    for tree in _TREES:
        files += _below(root / tree)
    others = _other_stacks(root / _STACKS, stack)
    files = [file for file in files if file not in others]
    return [_origin(f"{PROGRAM}/{file.relative_to(root).as_posix()}", file) for file in files]


def _other_stacks(stacks: Path, stack: str) -> set[Path]:
    """Returns files of stacks/ that are another stack's, and those that this one does not name.

    The user's prices and models are included: every stack reads them.
    """
    own = stacks / f"Pulumi.{stack}.yaml"
    text = own.read_text(encoding="utf-8")
    used = PolicySettings().waivers  # the default of a stack without waivers
    others = {path for path in stacks.glob("Pulumi.*.yaml") if path != own}
    for folder in stacks.iterdir():
        if folder.is_dir() and folder.name not in _READ_FOR_ALL:
            others |= {
                path
                for path in folder.rglob("*")
                if path.name not in text and path.name not in used
            }
    return others


def built_programs() -> list[Origin]:
    """Returns Pulumi with its language host and provider, and oras, as this machine built them.

    Raises:
        BundleError: Another Pulumi is on PATH, or none.
    """
    pulumi = _on_path("pulumi").parent.parent
    if not (pulumi / _ENGINE_COMPLETE).is_file():
        msg = (
            f"{pulumi}: this Pulumi was not built by this project, so its files are unknown. Run "
            "python3 tools/bootstrap setup --dev, and then: python3 tools/bootstrap run "
            "breakeven bundle ..."
        )
        raise BundleError(msg)
    files = [
        file
        for part in _ENGINE_PARTS
        for file in (_below(pulumi / part) if (pulumi / part).is_dir() else [pulumi / part])
    ]
    found = [
        _origin(f"{CACHE}/engine/{pulumi.name}/{file.relative_to(pulumi).as_posix()}", file)
        for file in files
    ]
    oras = _on_path("oras")
    return [*found, _origin(f"{CACHE}/programs/{oras.parent.parent.name}/bin/oras", oras)]


def _on_path(name: str) -> Path:
    program = shutil.which(name)
    if program is None:
        msg = (
            f"{name} is not on PATH. Build it with python3 tools/bootstrap setup --dev, then "
            "run: python3 tools/bootstrap run breakeven bundle ..."
        )
        raise BundleError(msg)
    return Path(program)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        left_out = any(part in _LEFT_OUT or part.startswith(".") for part in relative.parts)
        if path.is_file() and not left_out:
            yield path


def _origin(path: str, file: Path) -> Origin:
    if file.is_symlink():
        msg = f"{file}: is a link, which a bundle cannot contain. Replace it with the file itself"
        raise BundleError(msg)
    return Origin(path, file, executable=bool(file.stat().st_mode & 0o100))
