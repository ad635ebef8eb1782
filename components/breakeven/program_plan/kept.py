"""Answers that are kept on disk, so that an unchanged program is not planned again.

`pulumi up` runs the program twice, and most previews follow a preview of the same stack. Each
answer is one file, named by what it depends on, in a folder that only its user may enter. A file
that is damaged or unreadable is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from breakeven.cost.bill.registered import Registered
from breakeven.manifests.resource import Component, Resource
from breakeven.program_plan.answer import ProgramReport

MOST_ANSWERS = 20
"""Number of files that are kept, newest first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The answers to one program.

    Attributes:
        components: What it deploys.
        undeployable: Why it cannot be deployed; empty if it can.
        entries: Digest of what it registered.
        report: The estimate of what it registered.
    """

    components: tuple[Component, ...]
    undeployable: str
    entries: str
    report: ProgramReport


def entries_digest(entries: Iterable[Registered]) -> str:
    """Returns the digest of what a program registered."""
    plain = [[entry.name, entry.type, entry.properties] for entry in entries]
    # Manifests are read-only mappings, which only `dict` makes plain. The order of their keys is
    # Pulumi's, which differs in every run.
    text = json.dumps(plain, default=dict, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def answers_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Returns where answers are kept; None where the user has no home."""
    # The XDG specification says to ignore a relative path.
    caches = Path(environ.get("XDG_CACHE_HOME", "")), Path(environ.get("HOME", "")) / ".cache"
    return next((at / "breakeven" / "answers" for at in caches if at.is_absolute()), None)


def load(folder: Path, digest: str) -> Kept | None:
    """Returns what was kept for a digest; None if nothing was, or it is damaged."""
    try:
        if not _is_private(folder):
            return None
        checksum, _, body = (folder / f"{digest}.json").read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        return _kept(json.loads(body))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(folder: Path, digest: str, kept: Kept) -> None:
    """Keeps an answer, if that is possible.

    Args:
        folder: Where answers are kept; created if missing.
        digest: Of what the answer depends on.
        kept: The answer.
    """
    with suppress(OSError, ValueError, TypeError):
        body = json.dumps(_plain(kept)).encode()
        if _kept(json.loads(body)) != kept:  # JSON does not hold all that Python holds
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder):
            _write(folder / f"{digest}.json", body)
            _drop_oldest(folder)


def _write(path: Path, body: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _drop_oldest(folder: Path) -> None:
    """Removes the oldest answers, and files that an interrupted program left behind."""
    newest_first = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[MOST_ANSWERS:]:
        path.unlink(missing_ok=True)


def _is_private(folder: Path) -> bool:
    """Tells whether a folder belongs to the user and nobody else may enter it."""
    info = folder.lstat()
    mine = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()
    return mine and not info.st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def _plain(value: Any) -> Any:
    """Returns the fields of a dataclass, and of those in it, by name."""
    if isinstance(value, Kept | Component | Resource | ProgramReport):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _kept(value: Any) -> Kept:
    report = value["report"]
    return Kept(
        **{
            **value,
            "components": _components(value["components"]),
            "report": ProgramReport(
                **{
                    **report,
                    "planned_cost": _components(report["planned_cost"]),
                    "components": _components(report["components"]),
                }
            ),
        }
    )


def _components(values: Any) -> tuple[Component, ...]:
    return tuple(
        Component(
            **{
                **value,
                "resources": _resources(value["resources"]),
                "started_last": _resources(value["started_last"]),
            }
        )
        for value in values
    )


def _resources(values: Any) -> tuple[Resource, ...]:
    return tuple(
        Resource(**{**value, "depends_on": tuple(value["depends_on"])}) for value in values
    )
