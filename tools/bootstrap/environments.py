"""Virtual environments for programs of others, apart from the project's own, each made once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def find(name: str, requirements: Path, cache: Path) -> Path | None:
    """Returns the folder of an environment that is installed, or None."""
    folder = cache / f"{name}-{_digest(requirements)}"
    return folder if (folder / "complete").exists() else None


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]


def environment(name: str, requirements: Path, *, contents: str) -> Path:
    """Returns the folder of an environment; the first call installs it.

    Args:
        name: Of the folder in the cache, before a digest of what is installed.
        requirements: Every package with its checksums; dependencies are not looked for.
        contents: What is installed and how long that takes, for people.
    """
    cache = Path(os.environ.get("BREAKEVEN_CACHE") or ROOT / ".cache").expanduser()
    folder = cache / f"{name}-{_digest(requirements)}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            print(f"\ninstalling {contents}, once", file=sys.__stderr__)
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run(
                [
                    *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"),
                    *("--no-deps", "--require-hashes", "-r", str(requirements)),
                ],
                check=True,
            )
            (folder / "complete").touch()
    return folder
