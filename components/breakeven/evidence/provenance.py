"""By which program and from which files evidence was made."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from breakeven.bundle.files import sha256_of_bytes
from breakeven.settings.files import ROOT
from breakeven.version import program_version

_SECONDS = 10


def provenance(stack_file: Path) -> dict[str, Any]:
    """Returns the program's version, the stack file's hash, and the commit that holds both.

    Args:
        stack_file: The stack file; its folder's git repository is asked, if it is in one.

    Returns:
        `commit` is empty outside a git repository; `isCommitted` is false where any tracked file
        differs from it or the stack file is not in it.
    """
    folder = stack_file.parent
    commit = _git(folder, "rev-parse", "HEAD")
    dirty = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ":/")
    tracked = _git(folder, "ls-files", "--", stack_file.name)
    return {
        "program": {"name": "breakeven", "version": program_version(ROOT)},
        "stackFile": {"name": stack_file.name, "sha256": sha256_of_bytes(stack_file.read_bytes())},
        "commit": commit or "",
        "isCommitted": bool(commit) and dirty == "" and bool(tracked),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    """Returns what git prints; None where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # the user's own git
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
