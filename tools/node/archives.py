"""Images without a daemon: layers and their description in one archive (OCI)."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_BLOCK = 1 << 20
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class File:
    """A file of a layer.

    Attributes:
        path: Where it lies in the image, without the leading slash.
        data: Its content, or the target of a link.
        mode: Its rights.
        link: Whether it is a symbolic link.
    """

    path: str
    data: bytes
    mode: int = 0o644
    link: bool = False


def files_layer(file: Path, files: Sequence[File]) -> Path:
    """Write a layer of a few files, with the folders above them."""
    with tarfile.open(file, "w") as layer:
        folders = {str(parent) for each in files for parent in Path(each.path).parents}
        for folder in sorted(folders - {"."}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for each in files:
            entry = tarfile.TarInfo(each.path)
            entry.mode = each.mode
            if each.link:
                entry.type, entry.linkname = tarfile.SYMTYPE, each.data.decode()
                layer.addfile(entry)
            else:
                entry.size = len(each.data)
                layer.addfile(entry, io.BytesIO(each.data))
    return file


def write(output: IO[bytes], name: str, layers: Sequence[Path], config: Mapping[str, Any]) -> str:
    """Write an image as one archive.

    Args:
        output: Where to; it is written from front to back.
        name: Name and tag under which containerd keeps it.
        layers: Tar files, lowest first.
        config: What containers of it get: Env, Entrypoint and so on.

    Returns:
        The digest of its manifest, sha256:….
    """
    digests = [_digest_of(layer) for layer in layers]
    described = _encode(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": digests},
        }
    )
    manifest = _encode(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, _digest(described), len(described)),
            "layers": [
                _descriptor(_LAYER, digest, layer.stat().st_size)
                for digest, layer in zip(digests, layers, strict=True)
            ],
        }
    )
    listed = _descriptor(_MANIFEST, _digest(manifest), len(manifest))
    listed["annotations"] = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    index = _encode({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [listed]})
    with tarfile.open(fileobj=output, mode="w|", bufsize=_BLOCK) as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(archive, "index.json", index)
        _add(archive, _blob(_digest(described)), described)
        _add(archive, _blob(_digest(manifest)), manifest)
        for digest, layer in dict(zip(digests, layers, strict=True)).items():
            archive.add(layer, _blob(digest))
    return _digest(manifest)


def _encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest, "size": size}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _digest_of(file: Path) -> str:
    total = hashlib.sha256()
    with file.open("rb") as reader:
        while block := reader.read(_BLOCK):
            total.update(block)
    return f"sha256:{total.hexdigest()}"


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
