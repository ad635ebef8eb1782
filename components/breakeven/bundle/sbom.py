"""The bill of materials of a bundle: CycloneDX 1.6, with the model as a component."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import parse_wheel_filename

from breakeven.bundle.licences import NOT_STATED, Licence
from breakeven.bundle.lock import Lock, LockedFile, LockedImage
from breakeven.bundle.origins import CACHE, DEFINITIONS, WHEELS
from breakeven.bundle.registry.model_image import HOST

_NO_TIME = datetime(1980, 1, 1, tzinfo=UTC)
"""The format requires a time; the time of packing would make every bundle different."""


def bill_of_materials(lock: Lock, licences: tuple[Licence, ...]) -> bytes:
    """Returns the bill of materials as JSON, the same bytes for the same lock."""
    stated = {(entry.kind, entry.name): entry for entry in licences}
    program = Component(
        name="breakeven",
        version=lock.version,
        type=ComponentType.APPLICATION,
        bom_ref="breakeven",
    )
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, lock.digest),
        metadata=BomMetaData(timestamp=_NO_TIME, component=program),
        components=[*_components(lock, stated)],
    )
    bom.register_dependency(program, list(bom.components))
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    return f"{text}\n".encode()


_Stated = dict[tuple[str, str], Licence]


def _components(lock: Lock, stated: _Stated) -> Iterator[Component]:
    for image in lock.images:
        if image.reference.host != HOST:
            yield _image(image, stated)
    yield _model(lock, stated)
    for file in lock.files:
        if file.path.startswith(f"{WHEELS}/"):
            yield _wheel(file, stated)
        elif file.path.startswith(f"{CACHE}/") and file.executable:
            yield _file(file, ComponentType.APPLICATION, stated)
        elif file.path.startswith(f"{DEFINITIONS}/"):
            yield _file(file, ComponentType.FILE, stated)


def _image(image: LockedImage, stated: _Stated) -> Component:
    reference = image.reference
    repository = f"{reference.host}/{reference.path}"
    qualifiers = {"repository_url": repository, **({"tag": reference.tag} if reference.tag else {})}
    return _component(
        name=repository,
        version=reference.digest,
        kind=ComponentType.CONTAINER,
        licence=stated.get(("image", repository)),
        sha256=reference.digest.removeprefix("sha256:"),
        purl=PackageURL(
            "oci", None, reference.path.rpartition("/")[2], reference.digest, qualifiers
        ),
    )


def _model(lock: Lock, stated: _Stated) -> Component:
    model = lock.model
    owner, _, name = model.repository.partition("/")
    component = _component(
        name=model.repository,
        version=model.revision,
        kind=ComponentType.MACHINE_LEARNING_MODEL,
        licence=stated.get(("model", model.repository)),
        sha256="",
        purl=PackageURL("huggingface", owner, name, model.revision),
    )
    component.components.update(
        Component(
            name=file.name,
            type=ComponentType.FILE,
            bom_ref=f"model/{file.name}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.sha256)],
            properties=[Property(name="breakeven:size", value=str(file.size))],
        )
        for file in model.files
    )
    return component


def _wheel(file: LockedFile, stated: _Stated) -> Component:
    name, version, _, _ = parse_wheel_filename(file.path.rpartition("/")[2])
    return _component(
        name=name,
        version=str(version),
        kind=ComponentType.LIBRARY,
        licence=stated.get(("wheel", name)),
        sha256=file.sha256,
        purl=PackageURL("pypi", None, name, str(version)),
    )


def _file(file: LockedFile, kind: ComponentType, stated: _Stated) -> Component:
    name = file.path.rpartition("/")[2]
    return _component(
        name=name,
        version=file.sha256,
        kind=kind,
        licence=stated.get(("program", name)),
        sha256=file.sha256,
        purl=None,
    )


def _component(  # noqa: PLR0913  # what every component has, by name
    *,
    name: str,
    version: str,
    kind: ComponentType,
    licence: Licence | None,
    sha256: str,
    purl: PackageURL | None,
) -> Component:
    known = licence is not None and licence.licence != NOT_STATED
    return Component(
        name=name,
        version=version,
        type=kind,
        bom_ref=f"{kind.value}/{name}@{version}",
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        licenses=[LicenseFactory().make_from_string(licence.licence)] if licence and known else [],
    )
