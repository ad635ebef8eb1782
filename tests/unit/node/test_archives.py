"""Images that are written without a daemon are what containerd asks for."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

from node.archives import File, files_layer, write

PROGRAM = File("opt/tool/bin/tool", b"#!/bin/sh\n", 0o755)


def read(archive: io.BytesIO) -> dict[str, bytes]:
    archive.seek(0)
    with tarfile.open(fileobj=archive) as opened:
        return {
            member.name: content.read()
            for member in opened
            if (content := opened.extractfile(member)) is not None
        }


def test_every_blob_is_stored_under_its_digest_and_described_with_its_size(
    tmp_path: Path,
) -> None:
    layers = [files_layer(tmp_path / "layer", [PROGRAM])]
    output = io.BytesIO()
    digest = write(output, "node.local/tool:1", layers, {"Entrypoint": ["/tool"]})
    files = read(output)
    blobs = {name: data for name, data in files.items() if name.startswith("blobs/")}
    for name, data in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"
    [listed] = json.loads(files["index.json"])["manifests"]
    assert listed["digest"] == digest
    assert listed["annotations"]["io.containerd.image.name"] == "node.local/tool:1"
    manifest = json.loads(blobs[f"blobs/{digest.replace(':', '/')}"])
    for described in (manifest["config"], *manifest["layers"]):
        assert len(blobs[f"blobs/{described['digest'].replace(':', '/')}"]) == described["size"]
    config = json.loads(blobs[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    layer = hashlib.sha256(layers[0].read_bytes()).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{layer}"]
    assert config["config"] == {"Entrypoint": ["/tool"]}


def test_the_same_files_make_the_same_image(tmp_path: Path) -> None:
    digests = set()
    for name in ("once", "again"):
        layer = files_layer(tmp_path / name, [PROGRAM, File("etc/link", b"/opt/tool", link=True)])
        digests.add(write(io.BytesIO(), "node.local/tool:1", [layer], {}))
    assert len(digests) == 1


def test_a_symbolic_link_keeps_its_target(tmp_path: Path) -> None:
    layer = files_layer(tmp_path / "layer", [File("opt/bin/python", b"/usr/bin/python", link=True)])
    with tarfile.open(layer) as opened:
        assert opened.getmember("opt/bin/python").linkname == "/usr/bin/python"
