"""Copies images between registries and folders with oras, which preserves digests.

oras (Apache-2.0, a project of the CNCF) copies whole graphs of manifests in little memory, checks
each blob, skips what the target has, tries again, and logs in with the credentials that
`docker login` or `oras login` stored. tools/oras pins it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of_bytes
from breakeven.bundle.registry.references import ImageReference

_LOOPBACK = ("localhost", "127.0.0.1")
_TRIES = 3
_WAIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Oras:
    """The program, found on PATH."""

    program: str

    @classmethod
    def find(cls) -> Oras:
        """Finds the program.

        Raises:
            BundleError: It is not on PATH.
        """
        program = shutil.which("oras")
        if program is None:
            msg = (
                "oras, which copies images, is not on PATH. Run python3 tools/bootstrap setup "
                "--dev, then: python3 tools/bootstrap run breakeven bundle ..."
            )
            raise BundleError(msg)
        return cls(program)

    def manifest(self, image: ImageReference, digest: str) -> bytes:
        """Returns a manifest of an image from its registry, and checks it.

        Raises:
            BundleError: The registry does not have it, or returns another.
        """
        where = f"{image.host}/{image.path}@{digest}"
        answer = self._run("manifest", "fetch", *_plain(image.host), where, what=where)
        require_digest(where, answer, digest)
        return answer

    def pull(self, image: ImageReference, layout: Path) -> None:
        """Copies an image with all platforms into an OCI layout; continues where it stopped."""
        tag = image.digest.removeprefix("sha256:")
        self._copy(
            *_plain(image.host, "--from-plain-http"),
            image.by_digest,
            "--to-oci-layout",
            f"{layout}:{tag}",
            what=str(image),
        )

    def push(self, layout: Path, image: ImageReference, registry: str) -> str:
        """Copies an image from an OCI layout to a registry; returns its repository there."""
        repository = image.repository_in(registry)
        tag = image.tag or image.digest.removeprefix("sha256:")
        self._copy(
            *_plain(registry, "--to-plain-http"),
            "--from-oci-layout",
            f"{layout}@{image.digest}",
            # Even if the root exists: an interrupted copy lacks children.
            "--force",
            f"{repository}:{tag}",
            what=f"{repository}:{tag}",
        )
        return repository

    def blob_size(self, repository: str, digest: str) -> int:
        """Returns how many bytes a registry has of a blob.

        Raises:
            BundleError: It does not have it.
        """
        where = f"{repository}@{digest}"
        host = repository.partition("/")[0]
        answer = self._run("blob", "fetch", "--descriptor", *_plain(host), where, what=where)
        try:
            return int(json.loads(answer)["size"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{where}: the registry did not return a size"
            raise BundleError(msg) from error

    def _copy(self, *arguments: str, what: str) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                self._run("copy", "--no-tty", *arguments, what=what)
            except BundleError:
                if attempt == _TRIES:
                    raise
                time.sleep(_WAIT_SECONDS * attempt)
            else:
                return

    def _run(self, *arguments: str, what: str) -> bytes:
        result = subprocess.run([self.program, *arguments], capture_output=True, check=False)
        if result.returncode != 0:
            said = result.stderr.decode(errors="replace").strip().splitlines()
            msg = f"{what}: {' '.join(said)[:600] or 'oras failed without a message'}"
            raise BundleError(msg)
        return result.stdout


def require_digest(where: str, content: bytes, digest: str) -> None:
    """Raises BundleError unless bytes have the requested digest."""
    found = f"sha256:{sha256_of_bytes(content)}"
    if found != digest:
        msg = f"{where}: the response has digest {found}. Find out why before you use it"
        raise BundleError(msg)


def _plain(registry: str, flag: str = "--plain-http") -> tuple[str, ...]:
    """TLS is optional only on this machine, for registries of tests and caches."""
    host = registry.partition("/")[0].partition(":")[0]
    return (flag,) if host in _LOOPBACK else ()
