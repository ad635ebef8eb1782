"""Where things lie, and the small file operations that the other modules share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import Console, SetupError

CACHE_VARIABLE = "BREAKEVEN_CACHE"
STATE_VARIABLE = "BREAKEVEN_STATE"


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout."""

    root: Path
    cache: Path
    state: Path

    @classmethod
    def of(cls, root: Path, environ: Mapping[str, str]) -> Layout:
        """Read the two variables that move folders out of the checkout."""
        return cls(
            root=root,
            cache=_folder(environ.get(CACHE_VARIABLE), root / ".cache"),
            state=_folder(environ.get(STATE_VARIABLE), root / ".state"),
        )

    @property
    def venv(self) -> Path:
        """The virtual environment of this checkout."""
        return self.root / ".venv"

    @property
    def stacks(self) -> Path:
        """The folder of committed stack files."""
        return self.root / "stacks"


def _folder(value: str | None, default: Path) -> Path:
    return Path(value).expanduser().absolute() if value else default


def digest(files: Iterable[Path], *extra: str) -> str:
    """Hash the contents of files, and further strings, in the order given."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for text in extra:
        total.update(hashlib.sha256(text.encode()).digest())
    return total.hexdigest()


def replace_text(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


@contextmanager
def exclusive(layout: Layout, console: Console, what: str = "setup") -> Iterator[None]:
    """Let one process at a time install or build; the others wait and say so.

    Args:
        layout: The folders of the checkout.
        console: Where a process says that it waits.
        what: What is guarded. Builds share a cache, so they share one lock. Packages belong to a
            checkout, and do not wait for another checkout's ten-minute build.
    """
    try:
        layout.cache.mkdir(parents=True, exist_ok=True)
        lock = (layout.cache / f"{what}.lock").open("w")
    except OSError as error:
        raise SetupError(
            what=f"{layout.cache} cannot hold what is built",
            found=str(error.strerror),
            allowed="a folder that this user can write to, or nothing yet",
            fix=[f"name another place: export {CACHE_VARIABLE}=/path/to/folder"],
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.line("another setup is building; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
