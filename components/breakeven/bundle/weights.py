"""A model's files in a folder: only safetensors and text files, all of them checked."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from breakeven.bundle.errors import BundleError

ALLOWED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
"""The files that charts/serving/fetch_weights.py fetches: no pickles and no Python."""
IGNORED = (".gitattributes", "README.md", "LICENSE*", "USE_POLICY.md", "NOTICE*", "*.lock")
"""Documents of a repository that an engine does not read."""
INDEX = "model.safetensors.index.json"

_HUB_NOTES = Path(".cache") / "huggingface" / "download"
_TEXTS = (".json", ".jinja", ".txt", ".tiktoken")
_TEXT_LIMIT = 64 * 1024 * 1024
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"


def check_model_folder(folder: Path, revision: str) -> tuple[Path, ...]:
    """Checks a folder with a model's files; returns those that an engine reads, by name.

    Args:
        folder: Written by the hub's client: a snapshot, or its --local-dir.
        revision: The required commit.

    Raises:
        BundleError: A file may run code, is damaged, or is of another commit.
    """
    if not folder.is_dir():
        msg = f"{folder}: not a folder. Name the folder with the model's safetensors"
        raise BundleError(msg)
    _require_revision(folder, revision)
    files = _files(folder)
    flaws = [f"{path.name}: {flaw}" for path in files if (flaw := _flaw(path)) is not None]
    flaws += _missing(folder, files)
    if not any(path.suffix == ".safetensors" for path in files):
        flaws.append("no *.safetensors at all")
    if flaws:
        listed = "\n".join(f"  {flaw}" for flaw in flaws)
        msg = f"{folder}: contains no valid model:\n{listed}\nFetch revision {revision} again"
        raise BundleError(msg)
    return files


def _require_revision(folder: Path, revision: str) -> None:
    notes = sorted((folder / _HUB_NOTES).glob("*.metadata"))
    commits = {note.read_text(encoding="utf-8").partition("\n")[0].strip() for note in notes}
    named = folder.resolve().name
    if commits == {revision} or (not commits and named == revision):
        return
    found = ", ".join(sorted(commits)) or f'no metadata of the hub, and a folder named "{named}"'
    msg = (
        f"{folder}: cannot verify that this is revision {revision}; found {found}. Download it "
        f"with: hf download OWNER/NAME --revision {revision} --local-dir {revision}"
    )
    raise BundleError(msg)


def _files(folder: Path) -> tuple[Path, ...]:
    chosen: list[Path] = []
    refused: list[Path] = []
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.name == ".cache" or _matches(path.name, IGNORED):
            continue
        # A snapshot in the hub's cache consists of links to blobs next to it: files, not folders.
        allowed = path.is_file() and _matches(path.name, ALLOWED)
        (chosen if allowed else refused).append(path)
    if refused:
        msg = (
            f"{folder}: has what may run code or is not known: "
            f"{', '.join(path.name for path in refused)}. Allowed: {', '.join(ALLOWED)}; "
            "remove the rest, and take another model if it needs them"
        )
        raise BundleError(msg)
    return tuple(chosen)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _flaw(path: Path) -> str | None:
    if path.suffix == ".safetensors":
        return _tensor_flaw(path)
    with path.open("rb") as stream:
        start = stream.read(len(_ZIP))
    if start == _ZIP or start.startswith(_PICKLE):
        return "is a pickle or an archive with another extension"
    return _text_flaw(path) if path.suffix in _TEXTS else None


def _tensor_flaw(path: Path) -> str | None:
    try:
        with safe_open(path, framework="numpy") as tensors:  # maps the file and reads its header
            return None if tensors.keys() else "has no tensors"
    except (SafetensorError, OSError) as error:
        return f"is not a complete safetensors file: {error}"


def _text_flaw(path: Path) -> str | None:
    if path.stat().st_size > _TEXT_LIMIT:
        return f"is larger than {_TEXT_LIMIT} bytes, too large for a {path.suffix} file"
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else None
    except ValueError as error:
        return f"is no {path.suffix.removeprefix('.')} in UTF-8: {error}"
    if isinstance(value, dict) and "auto_map" in value:
        return "requires Python code from the repository (auto_map), which is never run"
    return None


def _missing(folder: Path, files: Sequence[Path]) -> list[str]:
    index = folder / INDEX
    if index not in files:
        return []
    try:
        value = json.loads(index.read_text(encoding="utf-8"))
        named = {str(name) for name in value["weight_map"].values()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return [f"{INDEX}: has no weight_map"]
    there = {path.name for path in files}
    return [f"{name}: listed in {INDEX} but missing" for name in sorted(named - there)]
