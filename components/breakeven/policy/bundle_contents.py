"""The contents of a bundle for the rules, read from its lock."""

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
"""Folder of this program in an unpacked bundle, next to the lock."""


class LockError(UserError):
    """A lock that cannot be read."""


def read_carried(lock: Path) -> Carried:
    """Reads the contents of a bundle from its lock.

    Args:
        lock: As `breakeven bundle plan` wrote it; lock.json in a bundle.

    Raises:
        LockError: The file is missing, or is not a lock.
    """
    try:
        return carried_in(lock.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no {error}"
        msg = (
            f"{lock}: not a bundle lock ({reason}). Use the file that `breakeven bundle plan` wrote"
        )
        raise LockError(msg) from error


def carried_in(lock: bytes) -> Carried:
    """Returns the contents of a bundle according to its lock.

    Raises:
        ValueError: It is not JSON.
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
    """Returns the contents of the bundle that this program was installed from, if any.

    Raises:
        LockError: The bundle's lock was damaged.
    """
    lock = root.parent / "lock.json"
    return read_carried(lock) if root.name == _PROGRAM and lock.is_file() else None
