"""The wheels of requirements.txt for this machine's Python, each with a checksum stated there."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of
from breakeven.bundle.origins import WHEELS, Origin

_ENTRY = re.compile(r"^(?P<requirement>[^\s#].*?)\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One package at one version, with the checksums that its files may have."""

    name: str
    version: str
    hashes: frozenset[str]


def this_platform() -> str:
    """Returns the platform of wheels and programs, such as linux-x86_64-cp311."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{sys.platform}-{platform.machine()}-{python}"


def read_requirements(path: Path) -> tuple[Pinned, ...]:
    """Returns the packages of a hash-locked requirements file that this machine needs."""
    entries: list[tuple[Requirement, set[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        hashes = _HASH.findall(line)
        if hashes and entries:
            entries[-1][1].update(hashes)
        elif (match := _ENTRY.match(line)) is not None:
            entries.append((Requirement(match["requirement"]), set()))
    return tuple(
        Pinned(
            canonicalize_name(requirement.name),
            str(requirement.specifier).removeprefix("=="),
            frozenset(hashes),
        )
        for requirement, hashes in entries
        if requirement.marker is None or requirement.marker.evaluate()
    )


def wheel_files(requirements: Path, folder: Path) -> list[Origin]:
    """Returns the wheel of every package that a requirements file asks for.

    If a wheel is missing from the folder, or has another checksum, pip fetches it, and checks each
    against its checksum. If none is, no network is used.

    Raises:
        BundleError: A wheel cannot be fetched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, lacking = _wheels(requirements, folder)
    if lacking:
        _fetch(requirements, folder)
        found, lacking = _wheels(requirements, folder)
    if lacking:
        msg = f"{requirements}: pip did not download a wheel of {', '.join(lacking)} to {folder}"
        raise BundleError(msg)
    return found


def _fetch(requirements: Path, folder: Path) -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check"),
            *("--requirement", str(requirements), "--dest", str(folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said = " ".join(result.stderr.strip().splitlines()[-3:])
        msg = f"{requirements}: cannot download its wheels: {said}"
        raise BundleError(msg)


def _wheels(requirements: Path, folder: Path) -> tuple[list[Origin], list[str]]:
    """Returns the requested wheels in the folder, and the packages without one."""
    present = [(parse_wheel_filename(path.name), path) for path in sorted(folder.glob("*.whl"))]
    found: list[Origin] = []
    lacking: list[str] = []
    for pinned in read_requirements(requirements):
        candidates = (
            path
            for (name, version, _, _), path in present
            if name == pinned.name and str(version) == pinned.version
        )
        path = next((each for each in candidates if sha256_of(each) in pinned.hashes), None)
        if path is None:
            lacking.append(f"{pinned.name}=={pinned.version}")
        else:
            found.append(Origin(f"{WHEELS}/{path.name}", path))
    return found, lacking
