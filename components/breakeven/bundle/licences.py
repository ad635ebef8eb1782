"""The license of each part of a bundle, and where it is stated."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from email.parser import HeaderParser
from pathlib import Path

import yaml
from packaging.utils import parse_wheel_filename

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import canonical_json
from breakeven.bundle.lock import Lock, LockedImage
from breakeven.bundle.origins import CACHE, PROGRAM, WHEELS, Origin
from breakeven.bundle.registry.model_image import HOST
from breakeven.bundle.registry.oci import layout_manifest

NOT_STATED = "not stated"

_LABEL = "org.opencontainers.image.licenses"
_METADATA_LIMIT = 4 * 1024 * 1024
_LONGEST = 64
# Programs of tools/ do not state a license; their repositories do (2026-11-25).
_PROGRAMS = {"engine": "Apache-2.0", "programs": "Apache-2.0"}
_CLASSIFIER = "License ::"


@dataclass(frozen=True, slots=True, order=True)
class Licence:
    """The license of one part.

    Attributes:
        kind: image, wheel, program or model.
        name: Of the part.
        version: Of the part; a digest if it has no version.
        licence: As the model's card states it, or "not stated".
        stated_in: Where.
    """

    kind: str
    name: str
    version: str
    licence: str
    stated_in: str


def model_licence(folder: Path) -> str:
    """Returns the license in the front matter of a model card, or "not stated"."""
    card = folder / "README.md"
    if not card.is_file():
        return NOT_STATED
    _, _, rest = card.read_text(encoding="utf-8").partition("---\n")
    front, closed, _ = rest.partition("\n---")
    try:
        value = yaml.safe_load(front) if closed else None
    except yaml.YAMLError:
        return NOT_STATED
    stated = value.get("license_name", value.get("license")) if isinstance(value, dict) else None
    return str(stated) if stated else NOT_STATED


def licences_of(lock: Lock, origins: Mapping[str, Origin], layout: Path) -> tuple[Licence, ...]:
    """Returns the license of every part, sorted.

    Args:
        lock: What the bundle consists of.
        origins: Its files by path.
        layout: Where the images lie.
    """
    found = [*_wheels(origins), *_programs(lock)]
    found += [
        Licence(
            "image",
            f"{image.reference.host}/{image.reference.path}",
            image.reference.digest,
            _image_licence(image, layout),
            f"label {_LABEL}",
        )
        for image in lock.images
        if image.reference.host != HOST
    ]
    model = lock.model
    found.append(
        Licence("model", model.repository, model.revision, model.licence, "README.md of the model")
    )
    return tuple(sorted(found))


def as_json(licences: tuple[Licence, ...]) -> bytes:
    """Returns the inventory as JSON."""
    return canonical_json([asdict(entry) for entry in licences])


def _wheels(origins: Mapping[str, Origin]) -> Iterator[Licence]:
    for path, origin in origins.items():
        if path.startswith(f"{WHEELS}/"):
            name, version, _, _ = parse_wheel_filename(origin.file.name)
            licence, where = _wheel_licence(origin.file)
            yield Licence("wheel", name, str(version), licence, where)


def _wheel_licence(wheel: Path) -> tuple[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [
            entry
            for entry in archive.infolist()
            if entry.filename.endswith(".dist-info/METADATA") and entry.filename.count("/") == 1
        ]
        if metadata.file_size > _METADATA_LIMIT:
            msg = f"{wheel}: has metadata of {metadata.file_size} bytes"
            raise BundleError(msg)
        headers = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
    expression = str(headers.get("License-Expression", "")).strip()
    if expression:
        return expression, "METADATA, License-Expression"
    classifiers = [
        str(value).rpartition(" :: ")[2]
        for value in headers.get_all("Classifier", [])
        if str(value).startswith(_CLASSIFIER)
    ]
    if classifiers:
        return " AND ".join(sorted(classifiers)), "METADATA, Classifier"
    free = str(headers.get("License", "")).strip()
    return (free, "METADATA, License") if 0 < len(free) <= _LONGEST else (NOT_STATED, "METADATA")


def _programs(lock: Lock) -> Iterator[Licence]:
    yield Licence("program", "breakeven", lock.version, "Apache-2.0", f"{PROGRAM}/LICENSE")
    for file in lock.files:
        if file.path.startswith(f"{CACHE}/") and file.executable:
            name, kind = file.path.rpartition("/")[2], file.path.split("/")[1]
            yield Licence("program", name, file.sha256, _PROGRAMS[kind], "its repository")


def _image_licence(image: LockedImage, layout: Path) -> str:
    """Returns the label of the first platform that has one."""
    for blob in image.blobs:
        if blob.media_type.endswith(("image.config.v1+json", "container.image.v1+json")):
            content = json.loads(layout_manifest(layout, blob.digest))
            labels = (content.get("config") or {}).get("Labels") or {}
            if labels.get(_LABEL):
                return str(labels[_LABEL])
    return NOT_STATED
