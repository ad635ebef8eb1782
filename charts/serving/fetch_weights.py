# ruff: noqa: INP001  # a script that runs in a pod, not a package
"""Fetches a model's weights into a folder: whole and verified, or not at all.

Runs in the engine's image, which has huggingface_hub. Files go to REVISION.partial; only when all
are verified and on the disk is the folder renamed to REVISION, so that nothing ever reads half of
it. A run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import errno
import fnmatch
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from huggingface_hub import (  # type: ignore[import-not-found]  # in the engine's image
    HfApi,
    snapshot_download,
)

# Weights as safetensors, configuration, tokenizers and chat templates. Not pickles (*.bin, *.pt,
# *.pth, *.ckpt), which run code when they are loaded, and not Python, which is code.
ALLOWED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
# Copies of the same weights in other layouts, which would double the download.
LEFT_OUT = ("*/*", "consolidated*")
INDEX = "model.safetensors.index.json"

UNAUTHORIZED, FORBIDDEN = 401, 403
REFUSALS = (UNAUTHORIZED, FORBIDDEN)

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_LONGEST_HEADER = 100_000_000
_BLOCK = 8 * 1024 * 1024
_LENGTH_BYTES = 8
_REPORT_SECONDS = 30

log = logging.getLogger("weights")


class FetchError(Exception):
    """The weights cannot be used; says why."""


class OneLine(logging.Formatter):
    """Writes what a message repeats of others, such as names of files, as they would be typed.

    A name with an end of line could otherwise look like a line of this script, and one with a
    sequence for terminals would do what it says.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the message with each character that does not print written as an escape."""
        text = super().format(record)
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def main(arguments: list[str]) -> int:
    """Fetches what the arguments name; returns the exit status."""
    parser = argparse.ArgumentParser(description="Fetch and verify a model's weights.")
    parser.add_argument("--repository", required=True, help="OWNER/NAME on the hub")
    parser.add_argument("--revision", required=True, help="commit, 40 hexadecimal digits")
    parser.add_argument("--directory", required=True, type=Path, help="mounted volume")
    parser.add_argument(
        "--file", action="append", default=[], help="ADDRESS#sha256=DIGITS of a further file"
    )
    parser.add_argument("--check", action="store_true", help="only see whether all would arrive")
    parser.add_argument(
        "--architecture",
        default="",
        help="class that the engine has built in, so that the repository's own Python, which a "
        "configuration may name, is never needed",
    )
    parser.add_argument(
        "--termination-log",
        type=Path,
        default=Path("/dev/termination-log"),
        help="what Kubernetes puts into the pod's status",
    )
    options = parser.parse_args(arguments)
    # Only this script's own lines: libraries log addresses that carry signatures.
    shown = logging.StreamHandler(sys.stdout)
    shown.setFormatter(OneLine("%(message)s"))
    logging.basicConfig(handlers=[shown], level=logging.ERROR)
    log.setLevel(logging.INFO)
    try:
        if options.check:
            check(options.repository, options.revision, options.directory, options.file)
        else:
            fetch(
                options.repository,
                options.revision,
                options.directory,
                options.file,
                architecture=options.architecture,
            )
    except Exception as error:  # noqa: BLE001  # the hub raises many kinds; the log shows any
        reason = f"failed: {type(error).__name__}: {without_secrets(str(error))}"
        log.error("%s", reason)  # noqa: TRY400  # a traceback helps nobody here
        tell_kubernetes(reason, options.termination_log)
        return 1
    return 0


def tell_kubernetes(reason: str, file: Path) -> None:
    """Puts the reason, and nothing else, into the pod's status.

    Pulumi shows only the first line that is there, and the end of the log has others before it.
    """
    if file.is_file():  # a container has one
        with suppress(OSError):
            file.write_text("".join(each if each.isprintable() else " " for each in reason))


def without_secrets(text: str) -> str:
    """Removes what an error may repeat of a request: token and signatures of addresses."""
    token = os.environ.get("HF_TOKEN")
    return re.sub(r"\?\S+", "?***", text.replace(token, "***") if token else text)


def check(repository: str, revision: str, directory: Path, further: Iterable[str] = ()) -> None:
    """Sees whether `fetch` would get the files and have room for them; fetches none."""
    plan(repository, revision, directory)
    for address, _ in map(address_and_digest, further):
        with opened(address):
            log.info("found %s", address)


def fetch(
    repository: str,
    revision: str,
    directory: Path,
    further: Iterable[str] = (),
    *,
    architecture: str = "",
) -> None:
    """Puts the files of a revision, and further files, into `directory`/`revision`.

    Raises:
        FetchError: They differ from what the hub says of them, or could run code.
    """
    files = plan(repository, revision, directory)
    if not files:
        return
    total = sum(file.size for file in files)
    target, partial = directory / revision, partial_of(directory, revision)
    partial.mkdir(parents=True, exist_ok=True)
    log.info("fetching %d files, %s, of %s@%s", len(files), gigabytes(total), repository, revision)
    with progress(partial, total), full_volume_explained(partial, total):
        snapshot_download(
            repo_id=repository,
            revision=revision,
            local_dir=str(partial),
            allow_patterns=[file.rfilename for file in files],
        )
    for file in files:
        verify(partial / file.rfilename, file)
    require_indexed_files(partial)
    for address, digest in map(address_and_digest, further):
        fetch_file(address, digest, partial)
    require_no_code(partial, architecture)
    # The hub's notes about what was fetched; the engine has no use for them.
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    make_durable(partial)
    partial.rename(target)
    sync(directory)
    log.info("verified and stored %s", target)


def address_and_digest(text: str) -> tuple[str, str]:
    """Divides ADDRESS#sha256=DIGITS.

    Raises:
        FetchError: It has another form.
    """
    found = re.fullmatch(r"(https?://[^#]+)#sha256=([0-9a-f]{64})", text)
    if found is None:
        msg = f"--file {text} is not ADDRESS#sha256=DIGITS"
        raise FetchError(msg)
    return found[1], found[2]


def opened(address: str) -> Any:
    """Opens an address for reading."""
    return urllib.request.urlopen(address, timeout=60)  # noqa: S310  # http or https


def fetch_file(address: str, digest: str, partial: Path) -> None:
    """Puts a file into a folder under its own name.

    Raises:
        FetchError: It differs from its checksum; it is removed.
    """
    path = partial / address.rpartition("/")[2]
    if not path.is_file() or sha256_of(path) != digest:
        with opened(address) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
    if sha256_of(path) != digest:
        path.unlink()
        msg = f"{path.name} differs from the checksum that is stated for it"
        raise FetchError(msg)
    log.info("verified %s", path.name)


def plan(repository: str, revision: str, directory: Path) -> list[Any]:
    """Returns the hub's entries of the files that are to be fetched; none where all are there.

    Raises:
        FetchError: They cannot be had, or do not fit the volume.
    """
    target = directory / revision
    if target.is_dir():
        log.info("%s is there and was verified when it was written", target)
        return []
    files = files_to_fetch(repository, revision)
    require_room(partial_of(directory, revision), sum(file.size for file in files))
    return files


def partial_of(directory: Path, revision: str) -> Path:
    """Returns the folder that holds files until all of them are verified."""
    return directory / f"{revision}.partial"


def files_to_fetch(repository: str, revision: str) -> list[Any]:
    """Returns the hub's entries of the files that the engine needs.

    Raises:
        FetchError: The hub shows another revision, or there are no safetensors.
    """
    with refusal_explained(repository):
        info = HfApi().model_info(repository, revision=revision, files_metadata=True)
    if info.sha != revision:
        msg = f"asked for revision {revision}, the hub answered with {info.sha}"
        raise FetchError(msg)
    names = [file.rfilename for file in info.siblings]
    files = [
        file
        for file in info.siblings
        if matches(file.rfilename, ALLOWED) and not matches(file.rfilename, LEFT_OUT)
    ]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        msg = (
            f"{repository} has no safetensors at its top, only {', '.join(sorted(names))}; pickled "
            "weights run code when they are loaded and are not fetched"
        )
        raise FetchError(msg)
    left = sorted(set(names) - {file.rfilename for file in files})
    log.info("not fetched: %s", ", ".join(left) or "nothing")
    return files


@contextmanager
def refusal_explained(repository: str) -> Iterator[None]:
    """Says of the hub's refusal what to do about it.

    Raises:
        FetchError: The hub does not show the repository to this token, or without one.
    """
    try:
        yield
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status not in REFUSALS:
            raise
        raise FetchError(refusal(repository, status)) from error


def refusal(repository: str, status: int) -> str:
    """Returns why the hub refuses a repository, by the status of its answer."""
    if not os.environ.get("HF_TOKEN"):
        return (
            f"the hub does not show {repository} without a token (status {status}): it is gated, "
            "private or missing; set weights.hubTokenSecret"
        )
    if status == UNAUTHORIZED:
        return (
            f"the hub rejects the token of weights.hubTokenSecret (status {status}): replace the "
            "token in the Secret"
        )
    return (
        f"the account of the token of weights.hubTokenSecret may not read {repository} (status "
        f"{status}): request access on the model's page"
    )


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tells whether a file name matches one of the patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def require_room(partial: Path, total: int) -> None:
    """Raises FetchError if what is still to come does not fit the volume."""
    missing = total - size_of(partial)
    free = shutil.disk_usage(partial.parent).free
    if missing > free:
        msg = f"{gigabytes(missing)} to fetch, but the volume has {gigabytes(free)} free"
        raise FetchError(msg)


def verify(path: Path, file: Any) -> None:
    """Compares a file with what the hub says of it.

    Raises:
        FetchError: It differs. It is removed, so that the next run fetches it again.
    """
    flaw = flaw_of(path, file)
    if flaw:
        path.unlink(missing_ok=True)
        msg = f"{path.name} {flaw}"
        raise FetchError(msg)
    log.info("verified %s", path.name)


def flaw_of(path: Path, file: Any) -> str | None:
    """Says what is wrong with a fetched file, or None."""
    if not path.is_file():
        return "did not arrive"
    size = path.stat().st_size
    if size != file.size:
        return f"has {size} bytes instead of {file.size}"
    # Large files have a checksum of their own, small ones git's.
    same = (
        git_hash_of(path) == file.blob_id
        if file.lfs is None
        else sha256_of(path) == file.lfs.sha256
    )
    if not same:
        return "differs from the checksum that the hub has of it"
    return header_flaw(path) if path.suffix == ".safetensors" else content_flaw(path)


def git_hash_of(path: Path) -> str:
    """Returns the name that git gives to a file's content, as hexadecimal digits."""
    content = path.read_bytes()
    named = b"blob %d\0" % len(content) + content
    # Git names content so; the hub states nothing stronger of small files.
    return hashlib.sha1(named, usedforsecurity=False).hexdigest()


def content_flaw(path: Path) -> str | None:
    """Says why loading a file that is not safetensors would run code, or None."""
    with path.open("rb") as stream:
        start = stream.read(len(_ZIP))
    if start == _ZIP or start.startswith(_PICKLE):
        return "is a pickle or an archive with another extension, which runs code when it is loaded"
    return None


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def header_flaw(path: Path) -> str | None:
    """Says in what a safetensors file contradicts its own header, or None.

    The format: eight bytes with the header's length, the header in JSON, then the tensors without
    gaps up to the end of the file. Its library takes headers of up to 100 MB.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        tensors = size - _LENGTH_BYTES - length
        if tensors < 0:
            return "is not a safetensors file: its header is longer than the file"
        if length > _LONGEST_HEADER:
            return f"is not a safetensors file: its header has more than {_LONGEST_HEADER:,} bytes"
        try:
            header = json.loads(stream.read(length))
            spans = sorted(
                (int(entry["data_offsets"][0]), int(entry["data_offsets"][1]))
                for name, entry in header.items()
                if name != "__metadata__"
            )
        except (
            *(ArithmeticError, AttributeError, LookupError),
            *(RecursionError, TypeError, ValueError),
        ):
            return "is not a safetensors file: its header cannot be read"
    end = 0
    for first, last in spans:
        if first != end or last < first:
            return "has tensors that overlap, or gaps between them"
        end = last
    return None if end == tensors else "is not as long as its header says"


def require_indexed_files(partial: Path) -> None:
    """Raises FetchError if the index names weight files that are not there."""
    index = partial / INDEX
    if not index.exists():
        return
    named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    there = {path.name for path in partial.iterdir() if path.is_file()}
    missing = sorted(named - there)
    if missing:
        msg = f"{INDEX} names files that the repository does not have: {', '.join(missing)}"
        raise FetchError(msg)


def require_no_code(partial: Path, architecture: str) -> None:
    """Raises FetchError if a configuration asks for Python that the engine would have to fetch.

    Args:
        partial: Folder with the files.
        architecture: Class that the engine has built in; with it such a request is never followed.
    """
    for path in sorted(partial.glob("*.json")):
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict) or "auto_map" not in value:
            continue
        named = value.get("architectures", [architecture])
        if not architecture or named != [architecture]:
            msg = (
                f"{path.name} asks for Python code of the repository (auto_map) for {named}, which "
                f"is not known to be built into the engine{architecture and f'; {architecture} is'}"
            )
            raise FetchError(msg)


def make_durable(partial: Path) -> None:
    """Makes all files readable for the engine's user, and waits until they are on the disk."""
    for path in partial.rglob("*"):
        # Libraries write weights with mode 0600, which another user could not read.
        path.chmod(0o755 if path.is_dir() else 0o644)
        sync(path)
    partial.chmod(0o755)
    sync(partial)


def sync(path: Path) -> None:
    """Waits until a file or the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_volume_explained(partial: Path, total: int) -> Iterator[None]:
    """Says how far a download came on a volume that became full; room was checked before it."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        msg = (
            f"the volume became full with {gigabytes(size_of(partial))} of {gigabytes(total)}: "
            "enlarge it, or remove what else is on it; the next run goes on from here"
        )
        raise FetchError(msg) from error


@contextmanager
def progress(partial: Path, total: int) -> Iterator[None]:
    """Logs now and then how much has arrived."""
    done = threading.Event()

    def report() -> None:
        while not done.wait(_REPORT_SECONDS):
            log.info("%s of %s", gigabytes(size_of(partial)), gigabytes(total))

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def size_of(folder: Path) -> int:
    """Returns the bytes of all files in a folder; files may come and go meanwhile."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(parent) / name).stat().st_size
            except FileNotFoundError:
                continue
    return size


def gigabytes(size: int) -> str:
    """Returns a size in GB of 10^9 bytes, for the log."""
    return f"{size / 1e9:.2f} GB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
