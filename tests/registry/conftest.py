"""A real registry on loopback: github.com/distribution/distribution, built from tools/registry."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIGURATION = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{folder}"}}, delete: {{enabled: true}}}}
http: {{addr: "{address}", secret: "only for this test"}}
"""
_START_SECONDS = 20


@dataclass(frozen=True)
class Registry:
    """A registry that is running."""

    address: str
    storage: Path

    def blobs(self) -> set[str]:
        """Digests of all blobs that it holds."""
        found = (self.storage / "docker/registry/v2/blobs/sha256").glob("*/*/data")
        return {f"sha256:{path.parent.name}" for path in found}

    def blob_file(self, digest: str) -> Path:
        """The file in which it keeps a blob."""
        name = digest.removeprefix("sha256:")
        return self.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def here(*command: str) -> list[str]:
    """The command line that runs a command on this machine itself."""
    return [*command]


@contextmanager
def running(
    folder: Path, address: str = "", enter: Callable[..., list[str]] = here
) -> Iterator[Registry]:
    """Runs a registry with its storage in a folder; ends it afterwards.

    Args:
        folder: Of its own.
        address: HOST:PORT of loopback; a free one if left out.
        enter: Makes the command line that runs a command where the registry should be.
    """
    for name in ("registry", "oras"):
        if shutil.which(name) is None:
            pytest.fail(
                f"{name} is not on PATH; `make test-tools` builds it and runs this", pytrace=False
            )
    address = address or f"127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "registry.yml"
    storage = folder / "storage"
    configuration.write_text(_CONFIGURATION.format(folder=storage, address=address))
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            enter("registry", "serve", str(configuration)),
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            _wait(address, process, enter)
            yield Registry(address, storage)
        finally:
            process.terminate()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], enter: Callable[..., list[str]]) -> None:
    ask = f"import urllib.request as r; r.urlopen('http://{address}/v2/', timeout=1)"
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        asked = subprocess.run(
            enter(sys.executable, "-c", ask), stderr=subprocess.DEVNULL, check=False
        )
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"no registry at {address}")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry inside the boundary."""
    with running(tmp_path / "registry") as started:
        yield started


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Registry]:
    """A registry outside, that images come from."""
    with running(tmp_path / "upstream") as started:
        yield started
