"""Check and unpack a bundle on a machine that does not have breakeven yet.

A copy of this file lies in each bundle as unpack.py. docs/air-gap.md says how its checksum is
verified before it runs, and why it runs as `python3 -I`. It needs Python's standard library and
openssl, imports nothing from the bundle, and reads the archive only after every part has the
checksum that was signed.

Example:
  python3 -I unpack.py /media/air-gapped-bundle --key release.pub --release 3 --to /opt/breakeven
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SUMS = "bundle.sums"
SUMS_SIGNATURE = "bundle.sums.sig"
MANIFEST = "bundle.json"
MANIFEST_SIGNATURE = "bundle.json.sig"
THIS = "unpack.py"
PARTS = "bundle.tar."
BLOCK = 4 * 1024 * 1024
SMALL = 64 * 1024 * 1024
DIGEST_DIGITS = 64


class Refused(Exception):  # noqa: N818  # what the user reads: the bundle was refused
    """The bundle is not what was signed; the message names the file."""


class Parts(io.RawIOBase):
    """All parts as one stream; each is opened once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._paths = iter(paths)
        self._stream: io.BufferedReader | None = None

    def readable(self) -> bool:
        """The stream is readable."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer as far as the current part goes; returns 0 at the end of all parts."""
        while True:
            if self._stream is None:
                path = next(self._paths, None)
                if path is None:
                    return 0
                self._stream = _open(path)
            if count := self._stream.readinto(buffer):
                return count
            self._stream.close()
            self._stream = None

    def close(self) -> None:
        """Closes the part that is open."""
        if self._stream is not None:
            self._stream.close()
        super().close()


def unpack(bundle: Path, key: Path, release: int, target: Path) -> str:
    """Check a bundle and unpack it into a new folder, which appears when everything was checked.

    Args:
        bundle: Folder of the bundle.
        key: Public key of those who packed it, which came another way.
        release: Number of the release that was announced; any other is refused.
        target: New folder.

    Returns:
        What was unpacked, in words.

    Raises:
        Refused: The bundle is not as signed.
        OSError: A file cannot be read or written.
    """
    beside = target.with_name(f"{target.name}.unpacking")
    for path in (target, beside):
        if os.path.lexists(path):
            msg = f"{path}: exists. Name a new folder, or remove it if an earlier run left it"
            raise Refused(msg)
    sums = _checked_sums(bundle, key)
    content = _signed(bundle, MANIFEST, MANIFEST_SIGNATURE, key)
    manifest = json.loads(content)
    if hashlib.sha256(content).hexdigest() != sums[MANIFEST]:
        msg = f"{bundle / MANIFEST}: changed while it was read. Copy the bundle to your own disk"
        raise Refused(msg)
    _require_expected(bundle, manifest, release)
    beside.mkdir(parents=True)
    try:
        _write_files(bundle, sums, manifest["files"], beside)
        (beside / MANIFEST).write_bytes(content)
        shutil.copyfile(bundle / MANIFEST_SIGNATURE, beside / MANIFEST_SIGNATURE)
        beside.rename(target)
    except BaseException:
        shutil.rmtree(beside)
        raise
    return f"{target}: {len(manifest['files'])} files of {manifest['stack']}, release {release}"


def _checked_sums(bundle: Path, key: Path) -> dict[str, str]:
    """Returns the signed checksums after verifying every file of the bundle against them."""
    sums = _sums(_signed(bundle, SUMS, SUMS_SIGNATURE, key))
    _require_exact_files(bundle, sums)
    for name, digest in sums.items():
        if _sha256(_blocks(_open(bundle / name))) != digest:
            msg = f"{bundle / name}: differs from what was signed. Copy it again"
            raise Refused(msg)
    return sums


def _require_expected(bundle: Path, manifest: Mapping[str, Any], release: int) -> None:
    if manifest["base"]:
        msg = f"{bundle}: is a delta. Unpack the whole bundle first, then: breakeven bundle unpack"
        raise Refused(msg)
    if manifest["release"] != release:
        msg = (
            f"{bundle}: is release {manifest['release']} of {manifest['stack']}, not {release}. "
            "Ask the sender which release you should have"
        )
        raise Refused(msg)


def _signed(bundle: Path, name: str, signature: str, key: Path) -> bytes:
    """Returns a small file after checking its signature over exactly the returned bytes."""
    content = _small(bundle / name)
    if not key.is_file():
        msg = f"{key}: not found. Name the .pub file of the signer that you trust"
        raise Refused(msg)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin"]
    # Copies in memory: the verified bytes are the used bytes, even if files change meanwhile.
    with _in_memory(content) as copy, _in_memory(_small(bundle / signature)) as signed:
        files = [f"/proc/self/fd/{each.fileno()}" for each in (copy, signed)]
        verified = subprocess.run(
            [*command, "-in", files[0], "-sigfile", files[1]],
            check=False,
            capture_output=True,
            pass_fds=(copy.fileno(), signed.fileno()),
        )
    if verified.returncode != 0:
        msg = (
            f"{bundle / name}: is not signed by {key}. It was changed, or somebody else signed "
            "it. Do not use it; contact the sender through another channel"
        )
        raise Refused(msg)
    return content


def _in_memory(content: bytes) -> io.BufferedWriter:
    copy = os.fdopen(os.memfd_create("copy"), "wb")
    copy.write(content)
    copy.flush()
    return copy


def _sums(content: bytes) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in content.decode("ascii").splitlines():
        digest, _, name = line.partition("  ")
        plain = len(digest) == DIGEST_DIGITS and name == Path(name).name and name not in sums
        if not plain:
            msg = f"{SUMS}: has the line {line!r}, which is not a checksum. Copy the bundle again"
            raise Refused(msg)
        sums[name] = digest
    if not {MANIFEST, THIS} < sums.keys():
        msg = f"{SUMS}: lacks {MANIFEST}, {THIS} or the parts. Copy the bundle again"
        raise Refused(msg)
    return sums


def _require_exact_files(bundle: Path, sums: Mapping[str, str]) -> None:
    expected = {*sums, SUMS, SUMS_SIGNATURE, MANIFEST_SIGNATURE}
    found = {entry.name for entry in os.scandir(bundle)}
    if foreign := sorted(found - expected):
        msg = f"{bundle}: has files that are not part of it: {', '.join(foreign)}. Do not use it"
        raise Refused(msg)
    if missing := sorted(expected - found):
        msg = f"{bundle}: lacks {', '.join(missing)}. Copy the whole folder again"
        raise Refused(msg)


def _write_files(
    bundle: Path, sums: Mapping[str, str], files: Sequence[Mapping[str, Any]], folder: Path
) -> None:
    """Writes the archive's files; rejects any that is not the next one in the manifest."""
    paths = [bundle / name for name in sorted(sums) if name.startswith(PARTS)]
    expected = iter(files)
    with (
        io.BufferedReader(Parts(paths), BLOCK) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            entry = next(expected, None)
            if entry is None or not _is_listed(member, entry):
                msg = f"{member.name}: is in the archive, but is not what the manifest lists there"
                raise Refused(msg)
            _write_file(archive, member, entry, folder)
        if next(expected, None) is not None:
            msg = f"{bundle}: the archive ends before its last file. Copy the bundle again"
            raise Refused(msg)


def _is_listed(member: tarfile.TarInfo, entry: Mapping[str, Any]) -> bool:
    """Tells whether a member is a plain file with the listed name, size and mode."""
    mode = 0o755 if entry.get("executable") else 0o644
    inside = not Path(member.name).is_absolute() and ".." not in Path(member.name).parts
    return (
        member.isreg()
        and inside
        and (member.name, member.size, member.mode) == (entry["path"], entry["size"], mode)
    )


def _write_file(
    archive: tarfile.TarFile, member: tarfile.TarInfo, entry: Mapping[str, Any], folder: Path
) -> None:
    path = folder / entry["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = archive.extractfile(member)
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as written:
        for block in _blocks(stream):
            digest.update(block)
            written.write(block)
    if digest.hexdigest() != entry["sha256"]:
        msg = f"{entry['path']}: has another checksum than the manifest says. Copy the bundle again"
        raise Refused(msg)
    # Owner is the current user, mode one of two: the archive determines neither.
    path.chmod(0o755 if entry.get("executable") else 0o644)


def _open(path: Path) -> io.BufferedReader:
    try:
        # Opening a pipe would otherwise wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        msg = f"{path}: cannot read the file: {error.strerror}. Copy it again, as a regular file"
        raise Refused(msg) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{path}: is a pipe, a device or a folder. Copy it again, as a plain file"
        raise Refused(msg)
    return os.fdopen(descriptor, "rb")


def _small(path: Path) -> bytes:
    with _open(path) as stream:
        content = stream.read(SMALL + 1)
    if len(content) > SMALL:
        msg = f"{path}: is larger than {SMALL:,} bytes. Copy it again"
        raise Refused(msg)
    return content


def _blocks(stream: Any) -> Iterator[bytes]:
    with stream:
        while block := stream.read(BLOCK):
            yield block


def _sha256(blocks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def main() -> int:
    """Check and unpack what the command line names.

    Returns:
        The exit code: 0, or 1 if the bundle was rejected.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument(
        "--key", type=Path, required=True, help="public key, received through another channel"
    )
    parser.add_argument(
        "--release", type=int, required=True, help="number of the announced release"
    )
    parser.add_argument("--to", type=Path, required=True, help="new folder to unpack into")
    options = parser.parse_args()
    if not sys.flags.isolated:
        print("error: run it as: python3 -I unpack.py …", file=sys.stderr)  # noqa: T201
        return 1
    try:
        done = unpack(options.bundle, options.key, options.release, options.to)
    except (Refused, OSError, KeyError, ValueError, tarfile.TarError) as error:
        # Names of foreign files must not control the terminal.
        said = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(error))
        print(f"error: {said}\nNothing was unpacked.", file=sys.stderr)  # noqa: T201
        return 1
    print(done)  # noqa: T201  # a script on its own, without a library for output
    return 0


if __name__ == "__main__":
    sys.exit(main())
