"""A stand-in for huggingface_hub: the hub is a folder, named by STAND_IN_HUB.

What it says of a file can differ from the file (STAND_IN_WRONG, STAND_IN_HUGE), a download can
break off (STAND_IN_BREAKS_AFTER), a question be denied (STAND_IN_DENIES), or answered with another
status (STAND_IN_STATUS). Once the first file is
there, somebody else may write one (STAND_IN_OTHERS_FILE, of STAND_IN_OTHERS_BYTES).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

HUB = Path(os.environ["STAND_IN_HUB"])


@dataclass
class Lfs:
    size: int
    sha256: str


@dataclass
class Sibling:
    rfilename: str
    size: int
    blob_id: str
    lfs: Lfs | None


@dataclass
class Info:
    sha: str
    siblings: list[Sibling]


@dataclass
class Response:
    status_code: int


class HfHubHTTPError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"Client error '{status}'\nFor more information check: MDN")
        self.response = Response(status)


class HfApi:
    def model_info(self, repository: str, *, revision: str, files_metadata: bool) -> Info:
        assert files_metadata
        if os.environ.get("STAND_IN_DENIES"):
            token = os.environ.get("HF_TOKEN")
            message = f"401 for https://cdn.test/{repository}?Signature=abc with token {token}"
            raise PermissionError(message)
        if status := os.environ.get("STAND_IN_STATUS"):
            raise HfHubHTTPError(int(status))
        files = [path for path in sorted(HUB.rglob("*")) if path.is_file()]
        return Info(revision, [_sibling(path) for path in files])


def snapshot_download(
    *, repo_id: str, revision: str, local_dir: str, allow_patterns: list[str]
) -> None:
    assert repo_id
    assert revision
    breaks_after = int(os.environ.get("STAND_IN_BREAKS_AFTER", "1000"))
    notes = Path(local_dir) / ".cache" / "huggingface"
    notes.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(allow_patterns):
        if number == breaks_after:
            message = "the connection was lost"
            raise ConnectionError(message)
        target = Path(local_dir) / name
        print("present" if target.exists() else "download", name, flush=True)  # noqa: T201
        if not target.exists():
            # As the library does: what is not whole has another name, and is private.
            incomplete = notes / f"{name}.incomplete"
            shutil.copyfile(HUB / name, incomplete)
            incomplete.chmod(0o600)
            incomplete.rename(target)
        if other := os.environ.get("STAND_IN_OTHERS_FILE"):
            Path(other).write_bytes(bytes(int(os.environ["STAND_IN_OTHERS_BYTES"])))


def _sibling(path: Path) -> Sibling:
    name, data = str(path.relative_to(HUB)), path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if name == os.environ.get("STAND_IN_WRONG"):
        digest, git = "0" * 64, "0" * 40
    size = 10**18 if name == os.environ.get("STAND_IN_HUGE") else len(data)
    lfs = Lfs(len(data), digest) if path.suffix == ".safetensors" else None
    return Sibling(name, size, git, lfs)
