"""Loading into a real registry: whole, resumable, and believed only after it was read back."""

from __future__ import annotations

import http.server
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from breakeven.bundle.archive.opening import open_bundle
from breakeven.bundle.archive.unpack import unpack
from breakeven.bundle.errors import BundleError
from breakeven.bundle.load import load
from tests.registry.conftest import Registry
from tests.unit.bundle.builders import KEY, Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path / "site")


@pytest.fixture
def unpacked(site: Site, tmp_path: Path) -> Path:
    site.pack()
    target = tmp_path / "unpacked"
    unpack(open_bundle(site.folder / "bundle", KEY.public_key()), None, target)
    return target


def silent(_text: str) -> None:
    pass


def test_every_blob_of_every_platform_arrives_under_the_digest_of_the_lock(
    site: Site, unpacked: Path, registry: Registry
) -> None:
    loaded = tuple(load(site.lock, unpacked, f"{registry.address}/closed", silent))
    assert [image.was_there for image in loaded] == [False, False]
    assert registry.blobs() == set(site.lock.blobs())
    for image, found in zip(site.lock.images, loaded, strict=True):
        assert found.reference == image.reference.mirrored(f"{registry.address}/closed")
        where = f"{image.reference.repository_in(registry.address + '/closed')}"
        answer = subprocess.run(
            ["oras", "resolve", "--plain-http", f"{where}:{image.reference.tag}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == image.reference.digest


def test_what_is_there_is_not_sent_again(site: Site, unpacked: Path, registry: Registry) -> None:
    tuple(load(site.lock, unpacked, registry.address, silent))
    written = {path: path.stat().st_mtime_ns for path in registry.storage.rglob("data")}
    again = tuple(load(site.lock, unpacked, registry.address, silent))
    assert all(image.was_there for image in again)
    assert {path: path.stat().st_mtime_ns for path in registry.storage.rglob("data")} == written


def test_a_load_that_was_stopped_sends_only_what_is_missing(
    site: Site, unpacked: Path, registry: Registry
) -> None:
    tuple(load(site.lock, unpacked, registry.address, silent))
    image = site.lock.images[0]
    # What a kill leaves: blobs without the manifests that name them.
    where = image.reference.repository_in(registry.address)
    request = urllib.request.Request(
        f"http://{registry.address}/v2/{where.partition('/')[2]}/manifests/{image.root.digest}",
        method="DELETE",
    )
    urllib.request.urlopen(request).close()  # noqa: S310  # of the test's own registry
    layers = [blob for blob in image.blobs if "layer" in blob.media_type]
    before = {blob.digest: registry.blob_file(blob.digest).stat().st_mtime_ns for blob in layers}
    again = tuple(load(site.lock, unpacked, registry.address, silent))
    assert [found.was_there for found in again] == [False, True]
    after = {blob.digest: registry.blob_file(blob.digest).stat().st_mtime_ns for blob in layers}
    assert after == before


def test_no_registry_is_a_clear_error(
    site: Site, unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breakeven.bundle.registry.oras.time.sleep", lambda _seconds: None)
    with pytest.raises(BundleError, match=r"127\.0\.0\.1:9.*connection refused"):
        tuple(load(site.lock, unpacked, "127.0.0.1:9", silent))


def test_a_registry_that_lies_about_a_manifest_is_not_believed(
    site: Site, unpacked: Path, registry: Registry
) -> None:
    tuple(load(site.lock, unpacked, registry.address, silent))
    root = site.lock.images[0].root
    path = registry.blob_file(root.digest)
    path.write_bytes(path.read_bytes().replace(b"amd64", b"AMD64"))
    with pytest.raises(BundleError, match=r"library/engine:v1\.0\.0: .*mismatched digest"):
        tuple(load(site.lock, unpacked, registry.address, silent))


def test_a_registry_that_lost_half_a_blob_is_not_believed(
    site: Site, unpacked: Path, registry: Registry
) -> None:
    tuple(load(site.lock, unpacked, registry.address, silent))
    blob = next(blob for blob in site.lock.images[0].blobs if "layer" in blob.media_type)
    path = registry.blob_file(blob.digest)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BundleError) as error:
        tuple(load(site.lock, unpacked, registry.address, silent))
    assert blob.digest in str(error.value)


def test_a_registry_that_dies_midway_is_a_clear_error_and_the_next_run_goes_on(
    site: Site, unpacked: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breakeven.bundle.registry.oras.time.sleep", lambda _seconds: None)
    with _dying(registry, after=6) as address, pytest.raises(BundleError, match=address):
        tuple(load(site.lock, unpacked, address, silent))
    assert registry.blobs() < set(site.lock.blobs())
    tuple(load(site.lock, unpacked, registry.address, silent))
    assert registry.blobs() == set(site.lock.blobs())


@contextmanager
def _dying(registry: Registry, after: int) -> Iterator[str]:
    """A stand-in for a registry that dies: passes some requests on, then only hangs up."""
    left = after

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            nonlocal left
            left -= 1
            self.close_connection = True
            if left < 0:
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = urllib.request.Request(
                f"http://{registry.address}{self.path}",
                data=body or None,
                method=self.command,
                headers={"Content-Type": self.headers.get("Content-Type") or "text/plain"},
            )
            try:
                answer = urllib.request.urlopen(request)  # noqa: S310  # as above
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                content = answer.read()
                self.send_response(answer.status)
                for name in ("Location", "Content-Type", "Docker-Content-Digest"):
                    if answer.headers.get(name):
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = _pass_on  # noqa: N815  # of the base class

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
