"""Release numbers of a stack's bundles, so that a downgrade is noticed.

An older bundle has a valid signature too, and may have flaws that a newer one fixes. The
recipient's log records each bundle that was used; an older one is rejected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from breakeven.bundle.archive.manifest import Manifest
from breakeven.bundle.errors import BundleError
from breakeven.bundle.lock import Lock, read_lock
from breakeven.bundle.log import LogEntry

BROUGHT = ("unpack", "load", "fill")
"""Actions of the log that put a bundle into use."""


def numbered(lock: Lock, earlier: Path, stated: int | None) -> Lock:
    """Gives a lock its release.

    Args:
        lock: As it was planned.
        earlier: Path of the lock of an earlier plan. The same plan keeps its number; another one
            gets the next.
        stated: The number, if it is stated instead.

    Raises:
        BundleError: A file is not a lock.
    """
    if stated is not None:
        return replace(lock, release=stated)
    if not earlier.exists():
        return replace(lock, release=1)
    try:
        before = read_lock(earlier)
    except BundleError as error:
        msg = f"{error}; or set the release number: --release N"
        raise BundleError(msg) from error
    same = replace(lock, release=before.release)
    return same if same == before else replace(lock, release=before.release + 1)


def release_details(manifest: Manifest) -> dict[str, str]:
    """Returns what an entry of the log says about a bundle."""
    return {
        "stack": manifest.stack,
        "release": str(manifest.release),
        "lock": manifest.lock,
        "signer": manifest.signer,
        "base": manifest.base,
    }


def newest_brought(entries: Iterable[LogEntry], stack: str) -> LogEntry | None:
    """Returns the entry that put a stack's highest release into use; None if none did."""
    brought = (
        entry
        for entry in entries
        if entry.action in BROUGHT and entry.details.get("stack") == stack
    )
    return max(brought, key=_release, default=None)


def refuse_older(manifest: Manifest, entries: Iterable[LogEntry], where: str) -> None:
    """Rejects a bundle older than one in use, or a different bundle with the same number.

    Args:
        manifest: Of the bundle, whose signature was checked.
        entries: Of the log, whose chain was checked.
        where: The bundle, for messages.

    Raises:
        BundleError: Names both releases, and who put the newer one into use.
    """
    newest = newest_brought(entries, manifest.stack)
    if newest is None or _release(newest) < manifest.release:
        return
    if _release(newest) == manifest.release and newest.details["lock"] == manifest.lock:
        return
    is_older = manifest.release < _release(newest)
    what = "older than the" if is_older else "but another bundle than the"
    msg = (
        f"{where}: is release {manifest.release} of stack {manifest.stack}, {what} release "
        f"{_release(newest)} that {newest.user}@{newest.host} installed at {newest.time}. Use "
        "the newest bundle; to use this one anyway, add --allow-older"
    )
    raise BundleError(msg)


def _release(entry: LogEntry) -> int:
    return int(entry.details["release"])
