"""Pulumi's state: a local folder with a passphrase of its own, unless the user names a backend."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bootstrap.console import SetupError
from bootstrap.layout import STATE_VARIABLE, Layout

BACKEND = "PULUMI_BACKEND_URL"
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 (the name of a variable, not a passphrase)
PASSPHRASE_FILE = f"{PASSPHRASE}_FILE"


def backend_url(layout: Layout) -> str:
    """The local backend of this checkout, as Pulumi writes it."""
    # Without files of attributes next to the state: an engine that is killed while it writes one
    # leaves it empty, and the state cannot be read any more ("failed to load checkpoint: EOF").
    return f"file://{layout.state}?metadata=skip"


def is_local(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether this checkout's own state folder is used, and not a backend that the user chose."""
    return environ.get(BACKEND) in (None, "", backend_url(layout))


def stack_file(layout: Layout, project: str, stack: str) -> Path:
    """Where the local backend keeps what is deployed as a stack."""
    return layout.state / ".pulumi" / "stacks" / project / f"{stack}.json"


def ensure(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """Check the state folder, make it where there is none, and say how Pulumi finds it.

    Nothing is written when something is wrong with it. With a backend that the user chose, nothing
    is made or set at all: a passphrase made here would lock everyone else out of their stacks.

    Returns:
        The environment variables to set.

    Raises:
        SetupError: The folder cannot be used as it is.
    """
    if not is_local(layout, environ):
        return {}
    check(layout, environ)
    settings = {BACKEND: backend_url(layout)}
    _make_folder(layout)
    if _has_own_passphrase(layout, environ):
        return settings
    own = _passphrase_file(layout)
    _make_passphrase(own)
    return {**settings, PASSPHRASE_FILE: str(own)}


def check(layout: Layout, environ: Mapping[str, str]) -> None:
    """Check the local state folder, and change nothing.

    Raises:
        SetupError: It cannot be used as it is.
    """
    _check_folder(layout)
    _check_stacks(layout)
    if not _has_own_passphrase(layout, environ):
        _check_passphrase(layout)


def _has_own_passphrase(layout: Layout, environ: Mapping[str, str]) -> bool:
    """Whether the user gives the passphrase, so that the one of the folder is not used."""
    own = str(_passphrase_file(layout))
    return bool(environ.get(PASSPHRASE)) or environ.get(PASSPHRASE_FILE) not in (None, "", own)


def _passphrase_file(layout: Layout) -> Path:
    return layout.state / "passphrase"


def _unusable(layout: Layout, found: str) -> SetupError:
    return SetupError(
        what=f"{layout.state} cannot hold Pulumi's state",
        found=found,
        allowed="a folder that this user can write to, or nothing yet",
        fix=[
            f"move it away: mv {layout.state} {layout.state}.old",
            f"name another place: export {STATE_VARIABLE}=/path/to/folder",
        ],
    )


def _check_folder(layout: Layout) -> None:
    if layout.state.is_symlink() and not layout.state.exists():
        raise _unusable(layout, f"a link to {layout.state.readlink()}, which is not there")
    if not layout.state.exists():
        return
    if not layout.state.is_dir():
        raise _unusable(layout, f"a file of {layout.state.stat().st_size} bytes")
    if not os.access(layout.state, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(layout, "a folder without the rights to read and write in it")


def _stack_files(layout: Layout) -> list[Path]:
    return sorted((layout.state / ".pulumi" / "stacks").rglob("*.json"))


def _check_stacks(layout: Layout) -> None:
    for file in _stack_files(layout):
        damage = _damage(file)
        if damage:
            backup = file.with_name(f"{file.name}.bak")
            restore = [f"put the last good copy back: cp {backup} {file}"]
            raise SetupError(
                what=f"{file} is not a stack that Pulumi can read",
                found=damage,
                allowed="the JSON that Pulumi writes",
                fix=[
                    *(restore if backup.is_file() and not _damage(backup) else []),
                    f"if nothing is deployed from it, start over: rm {file}",
                ],
            )


def _damage(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        json.loads(text)
    except OSError as error:
        return str(error.strerror)
    except UnicodeDecodeError:
        return "bytes that are not UTF-8 text"
    except json.JSONDecodeError as error:
        return f"{len(text)} characters; {error.msg} at line {error.lineno} column {error.colno}"
    return ""


def _check_passphrase(layout: Layout) -> None:
    file = _passphrase_file(layout)
    stacks = [path.stem for path in _stack_files(layout)]
    present = file.is_file() and file.read_text(encoding="utf-8").strip() != ""
    if stacks and not present:
        raise SetupError(
            what=f"{file} does not hold the passphrase of the stacks in that folder",
            found=f"{'an empty' if file.is_file() else 'no'} file, and stacks {', '.join(stacks)}",
            allowed="the passphrase with which those stacks were made",
            fix=[
                f"put the passphrase back into {file}, or set {PASSPHRASE}",
                f"if nothing is deployed, start over: mv {layout.state} {layout.state}.old",
            ],
        )


def _make_folder(layout: Layout) -> None:
    try:
        layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(layout, str(error.strerror)) from error


def _make_passphrase(file: Path) -> None:
    if file.is_file():
        if file.stat().st_size > 0:
            return
        file.unlink()
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as writer:
        writer.write(secrets.token_urlsafe(32))
    # Unlike a rename, a link fails where another process was first: both then use its passphrase.
    with suppress(FileExistsError):
        os.link(beside, file)
    beside.unlink()
