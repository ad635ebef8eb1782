"""Small images, models and locks of the shapes that real ones have."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors.numpy import save_file

from breakeven.bundle.archive.opening import Bundle
from breakeven.bundle.lock import Lock, LockedImage, LockedModel
from breakeven.bundle.origins import Origin
from breakeven.bundle.pack import Contents, Order, contents_of, pack
from breakeven.bundle.registry.model_image import model_image, read_model_file
from breakeven.bundle.registry.oci import (
    LAYOUT_FILE,
    blob_path,
    image_graph,
    layout_index,
    layout_manifest,
)
from breakeven.bundle.registry.references import ImageReference
from breakeven.bundle.weights import check_model_folder

REVISION = "6f6073b423013f6a7d4d9f39144961bfbfbc386b"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PART_SIZE = 40_000


def add_blob(layout: Path, content: bytes) -> tuple[str, int]:
    """Puts a blob into an OCI layout; returns digest and size."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    path = layout / blob_path(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest, len(content)


def make_image(layout: Path, name: str, *, host: str = "docker.io") -> ImageReference:
    """Makes an image for two platforms, as registries hold them; returns its reference."""
    manifests = []
    for architecture in ("amd64", "arm64"):
        layer = gzip.compress(_tar({f"etc/{name}": f"{name} on {architecture}"}), mtime=0)
        configuration = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.licenses": "Apache-2.0"}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor(
                layout,
                json.dumps(configuration).encode(),
                "application/vnd.oci.image.config.v1+json",
            ),
            "layers": [_descriptor(layout, layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }
        entry = _descriptor(layout, json.dumps(manifest).encode(), str(manifest["mediaType"]))
        manifests.append({**entry, "platform": {"architecture": architecture, "os": "linux"}})
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    }
    digest, _ = add_blob(layout, json.dumps(index).encode())
    return ImageReference(host, f"library/{name}", "v1.0.0", digest)


def finish_layout(layout: Path, *references: ImageReference) -> None:
    """Makes a folder with blobs an OCI layout that tools read."""
    (layout / "oci-layout").write_bytes(LAYOUT_FILE)
    images = [locked_image(layout, reference) for reference in references]
    index = layout_index((image.reference, image.root) for image in images)
    (layout / "index.json").write_bytes(index)


def locked_image(layout: Path, reference: ImageReference) -> LockedImage:
    """The lock's entry of an image in a layout."""
    root, blobs = image_graph(
        reference.digest, lambda digest: layout_manifest(layout, digest), str(reference)
    )
    return LockedImage(reference, root, blobs, ("Deployment/model",))


def make_model(folder: Path, *, value: float = 1.0) -> Path:
    """Makes a folder with a model's files, as the hub's client leaves it."""
    model = folder / REVISION
    model.mkdir(parents=True)
    save_file({"layer": np.full((100, 100), value, np.float32)}, model / "model.safetensors")
    (model / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (model / "chat_template.jinja").write_text("{{ messages }}")
    (model / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model of a test\n")
    return model


@dataclass(frozen=True)
class Site:
    """A machine that packs: its store, model and files."""

    folder: Path
    model: Path
    layout: Path
    lock: Lock
    origins: tuple[Origin, ...] = field(default=())

    def contents(self) -> Contents:
        return contents_of(self.lock, self.origins, self.layout, self.model)

    def pack(self, to: str = "bundle", key: Ed25519PrivateKey = KEY) -> Bundle:
        return pack(self.lock, self.contents(), Order(self.folder / to, key, PART_SIZE))


def make_site(
    folder: Path, *, value: float = 1.0, text: str = "a program\n", release: int = 1
) -> Site:
    """Makes everything that a lock names: an image, a model, a program and a text."""
    layout, model = folder / "store" / "images", make_model(folder / "models", value=value)
    reference = make_image(layout, "engine")
    files = folder / "files"
    files.mkdir()
    (files / "run").write_text("#!/bin/sh\necho ran\n")
    (files / "run").chmod(0o755)
    (files / "program.py").write_text(text)
    origins = (
        Origin("cache/programs/key/bin/run", files / "run", executable=True),
        Origin("program/components/program.py", files / "program.py"),
    )
    paths = check_model_folder(model, REVISION)
    model_files = tuple(read_model_file(path, REVISION) for path in paths)
    carried = model_image("small", REVISION, model_files)
    blobs = {*(blob for blob, _ in carried.documents), *(file.layer for file in model_files)}
    images = [
        locked_image(layout, reference),
        LockedImage(carried.reference, carried.root, tuple(sorted(blobs)), ("the model",)),
    ]
    lock = Lock(
        stack="on-prem",
        release=release,
        version="0.1.0",
        platform="linux-x86_64-cp311",
        images=tuple(sorted(images, key=lambda image: image.reference)),
        model=LockedModel("small", "owner/small", REVISION, "apache-2.0", model_files),
        files=tuple(origin.locked() for origin in origins),
        custom_resources={"monitoring.coreos.com/PodMonitor": ""},
    )
    return Site(folder, model, layout, lock, origins)


def _descriptor(layout: Path, content: bytes, media_type: str) -> dict[str, object]:
    digest, size = add_blob(layout, content)
    return {"mediaType": media_type, "digest": digest, "size": size}


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
