"""Reads the records of a folder, if they are signed by the key that a project trusts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

TRUSTED = "signing.pub"
"""Public key in the folder of the records; where it lies, only records signed by it are used."""


class Dated(Protocol):
    """A record as a folder lists it."""

    @property
    def day(self) -> date:
        """When it was made."""

    @property
    def name(self) -> str:
        """Of its file."""


Record = TypeVar("Record", bound=Dated)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Record]):
    """A kind of record.

    Attributes:
        read: Turns the text and the name of a file into a record.
        error: What it raises for a file that is none; the message begins with the name.
        again: How such a record is made: "measure", or "evaluate".
    """

    read: Callable[[str, str], Record]
    error: type[ValueError]
    again: str


def read_signed(folder: Path, kind: Kind[Record]) -> tuple[Record, ...]:
    """Returns all records of a folder, newest first; none where there is no folder.

    Raises:
        ValueError: The kind's error: one cannot be read, or is not signed by the trusted key.
    """
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".sig", ".pub"})
    return _read(tuple((path, path.stat().st_mtime_ns) for path in files), kind)


@cache
def _read(files: tuple[tuple[Path, int], ...], kind: Kind[Any]) -> tuple[Any, ...]:
    records = [path for path, _ in files if path.suffix == ".json"]
    for path in records:
        reason = unsigned_reason(path, kind.again)
        if reason:
            msg = f"{path.name}: {reason}"
            raise kind.error(msg)
    found = [kind.read(path.read_text(encoding="utf-8"), path.name) for path in records]
    return tuple(sorted(found, key=lambda each: (each.day, each.name), reverse=True))


def unsigned_reason(path: Path, again: str) -> str:
    """Returns why a record must not be used; empty where it may be.

    Args:
        path: Record, with its signature in a file of the same name and `.sig`.
        again: How such a record is made: "measure", or "evaluate".
    """
    trusted = path.with_name(TRUSTED)
    if not trusted.is_file():
        return ""
    # Only here: it takes a while to import, and most projects sign nothing.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(trusted.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        return f"{TRUSTED} is not an ed25519 key. Use the .pub file from breakeven bundle keygen"
    signature = path.with_name(f"{path.name}.sig")
    if not signature.is_file():
        return (
            f"is not signed, and {TRUSTED} asks for it. {again.capitalize()} again with --key, or "
            "remove it"
        )
    try:
        key.verify(signature.read_bytes(), path.read_bytes())
    except InvalidSignature:
        return (
            f"its signature does not match {TRUSTED}: the file was changed, or signed with "
            f"another key. Restore or remove it, or {again} again with --key"
        )
    return ""
