"""What a bundle carries, as rules see it; read from its lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from breakeven.errors import UserError
from breakeven.policy.manifest import Carried
from breakeven.settings.files import ROOT

_PROGRAM = "program"
"""Folder of this program in an unpacked bundle; the lock is next to it."""


class LockError(UserError):
    """A lock that can't be read."""


def read_carried(lock: Path) -> Carried:
    """Reads what a bundle carries from its lock.

    Args:
        lock: As `breakeven bundle plan` wrote it; lock.json in a bundle.

    Raises:
        LockError: It is not there, or is not a lock.
    """
    try:
        return carried_in(lock.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no {error}"
        msg = f"{lock}: is not a lock ({reason}). Name the one that `breakeven bundle plan` wrote"
        raise LockError(msg) from error


def carried_in(lock: bytes) -> Carried:
    """Returns what a bundle carries by its lock.

    Raises:
        ValueError: It is no JSON.
        KeyError: It is not a lock.
        TypeError: It is not a lock.
    """
    value: Mapping[str, Any] = json.loads(lock)
    return Carried(
        frozenset(str(image["root"]["digest"]) for image in value["images"]),
        str(value["model"]["revision"]),
    )


@cache
def carried_here(root: Path = ROOT) -> Carried | None:
    """Returns what the bundle carries from which this program was installed, if it was.

    Raises:
        LockError: The bundle's lock was damaged.
    """
    lock = root.parent / "lock.json"
    return read_carried(lock) if root.name == _PROGRAM and lock.is_file() else None
