"""What the plan of a program depends on, as one digest: the same digest means the same answer.

The digest includes more than an estimate reads: an extra file only repeats the estimate, but a
missing file would show an old price as today's.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
"""The folder with Pulumi.yaml; of an installed package, a folder that does not matter."""

PRICES = "genai_prices"
"""The package with the prices of APIs, which are read when it is imported."""

MOST_BYTES = 16 * 2**20
"""Limit for all files in stacks/: reading more would take longer than an estimate."""

_OWN_PREFIX = "breakeven:"
_VARIABLES = ("PYTHON", "BREAKEVEN_")
"""Prefixes of environment variables that may change the result."""


class TooManyBytesError(Exception):
    """The folder stacks/ has more files or bytes than a digest reads."""


def digest_of(stack: str, configuration: Mapping[str, str]) -> str | None:
    """Returns the digest of everything that the plan of a stack depends on.

    The user's files are read. The package's files, which include thousands of prices, count by size
    and times, as do installed packages.

    Args:
        stack: Name of the stack.
        configuration: What it states, by NAMESPACE:KEY. In other namespaces, only the keys count.

    Returns:
        Hexadecimal digits; None where files cannot be read, or are too many to read.
    """
    own = {
        key: value if key.startswith(_OWN_PREFIX) else None for key, value in configuration.items()
    }
    whole = hashlib.sha256()
    try:
        for part in (
            [stack, sorted(own.items())],
            [sys.version, sys.prefix, sys.path, str(Path.cwd()), str(PACKAGE)],
            sorted(item for item in os.environ.items() if item[0].startswith(_VARIABLES)),
            # Ages of prices and measurements are shown in days.
            datetime.now(tz=UTC).date().isoformat(),
            *_seen(PACKAGE),
            *_seen(CHECKOUT / "charts"),
            *_seen(CHECKOUT / "Pulumi.yaml"),
            *_installed(),
            *_read(),
        ):
            whole.update(json.dumps(part).encode() + b"\n")
    except (OSError, TooManyBytesError):
        return None
    return whole.hexdigest()


def _seen(path: Path) -> Iterator[object]:
    """Yields each file of a folder, or the file, with its size and times."""
    for file in _files(path):
        info = file.stat()
        yield [file.path, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino]


def _read() -> Iterator[object]:
    """Yields each file of every stacks/ that may be the user's, with its content.

    Of an installed package that is the nearest one above the current folder.
    """
    here = Path.cwd()
    left = MOST_BYTES
    for folder in sorted({CHECKOUT, here, *here.parents}):
        for file in _files(folder / "stacks"):
            left -= file.stat().st_size
            if left < 0:
                raise TooManyBytesError
            content = Path(file.path).read_bytes()
            info = file.stat()
            yield [file.path, info.st_mtime_ns, hashlib.sha256(content).hexdigest()]


def _installed() -> Iterator[object]:
    """Yields which version of each package is installed, and the files with prices of APIs."""
    for folder in sys.path:
        if not Path(folder).is_dir():
            continue
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith((".dist-info", ".pth")):
                    yield [entry.path, entry.stat().st_mtime_ns]
    found = importlib.util.find_spec(PRICES)
    for place in (found.submodule_search_locations or ()) if found else ():
        yield from _seen(Path(place))


def _files(path: Path) -> Iterator[os.DirEntry[str]]:
    """Yields the files of a folder, in the order of their names; a file by itself.

    What Python compiled is left out. A link to a folder counts as that folder.
    """
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if folder != path:
            if entry.name == path.name:
                yield entry
        elif entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(Path(entry.path))
        else:
            yield entry
