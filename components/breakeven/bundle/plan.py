"""Makes the lock of a stack from its registered resources and the files on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from breakeven.bundle.definitions import definition_files, needed_definitions
from breakeven.bundle.errors import BundleError
from breakeven.bundle.licences import model_licence
from breakeven.bundle.lock import Lock, LockedImage, LockedModel
from breakeven.bundle.origins import Origin, built_programs, program_files
from breakeven.bundle.registry.images import FoundImage, find_images
from breakeven.bundle.registry.model_image import model_image, read_model_file
from breakeven.bundle.registry.oci import image_graph
from breakeven.bundle.registry.oras import Oras
from breakeven.bundle.weights import check_model_folder
from breakeven.bundle.wheels import this_platform, wheel_files
from breakeven.cost.bill.registered import Registered
from breakeven.settings.model import ModelSettings
from breakeven.version import program_version

Say = Callable[[str], None]

_SIZE_TOLERANCE = 0.1
"""Tolerance of the size of weights: draft heads and towers may or may not be included."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the files of a bundle are on this machine.

    Attributes:
        root: This program's folder.
        store: Work folder; fetched files stay here for a second run.
        model: Folder with the model's files.
        definitions: Folder with custom resource definitions; None if the cluster has them.
    """

    root: Path
    store: Path
    model: Path
    definitions: Path | None = None

    @property
    def layout(self) -> Path:
        """The OCI layout with the images that were pulled."""
        return self.store / "images"

    @property
    def wheels(self) -> Path:
        """The wheels that were fetched."""
        return self.store / "wheels"


def make_lock(
    stack: str, model: ModelSettings, resources: Sequence[Registered], sources: Sources, say: Say
) -> tuple[Lock, tuple[Origin, ...]]:
    """Makes the lock of a stack; asks registries for manifests, but fetches no layers.

    Args:
        stack: Its name.
        model: What it serves.
        resources: What it registers.
        sources: Where things come from.
        say: Called with each progress line.

    Returns:
        The lock, and the files of this machine that it names.

    Raises:
        BundleError: Something is unknown, unpinned, missing or not allowed.
    """
    require_tools(sources.model)
    found = find_images(resources)
    say(f"reading the model in {sources.model}")
    paths = check_model_folder(sources.model, model.revision)
    files = tuple(read_model_file(path, model.revision) for path in paths)
    carried = model_image(model.facts.name, model.revision, files)
    # A stack that mounts the model as an image names the image that is made here.
    mounted = [image for image in found if image.reference.digest == carried.root.digest]
    oras = Oras.find()
    images = [_locked(image, oras, say) for image in found if image not in mounted]
    images.append(
        LockedImage(
            carried.reference,
            carried.root,
            tuple(sorted({*(blob for blob, _ in carried.documents), *(f.layer for f in files)})),
            ("the model", *(user for image in mounted for user in image.used_by)),
        )
    )
    places, origins = gather(stack, resources, sources, say)
    lock = Lock(
        stack=stack,
        release=1,  # until breakeven.bundle.releases numbers it
        version=program_version(sources.root),
        platform=this_platform(),
        images=tuple(sorted(images, key=lambda image: image.reference)),
        model=LockedModel(
            model.facts.name,
            model.repository,
            model.revision,
            model_licence(sources.model),
            files,
        ),
        files=tuple(origin.locked() for origin in origins),
        custom_resources=places,
    )
    return lock, origins


def require_tools(model: Path) -> None:
    """Checks all requirements first, so that one message names everything that is missing.

    Raises:
        BundleError: A program is not on PATH, or the model's folder does not exist.
    """
    missing = [f"{name} is not on PATH" for name in ("pulumi", "oras") if which(name) is None]
    if missing:
        missing.append(
            "run python3 tools/bootstrap setup --dev, then python3 tools/bootstrap run "
            "breakeven bundle ..."
        )
    if not model.is_dir():
        missing.insert(0, f"{model} is not a folder; name the folder with the model's safetensors")
    if missing:
        msg = f"cannot create a bundle yet: {'; '.join(missing)}"
        raise BundleError(msg)


def require_size(lock: Lock, expected: int) -> None:
    """Checks that the weights are about as large as the model's facts say.

    Args:
        lock: Names the existing files.
        expected: Bytes of the weights by the model's facts, in the precision that is served.

    Raises:
        BundleError: They differ by more than 10%: a download is incomplete, or of another model or
            precision.
    """
    there = sum(file.size for file in lock.model.files if file.name.endswith(".safetensors"))
    if abs(there - expected) > expected * _SIZE_TOLERANCE:
        msg = (
            f"{lock.model.name}: the safetensors have {there / 1e9:,.2f} GB; by the model's facts "
            f"they have about {expected / 1e9:,.2f} GB. Fetch them again, or state the precision "
            "that they are in (model.precision). If they are right: --accept-size"
        )
        raise BundleError(msg)


def gather(
    stack: str, resources: Sequence[Registered], sources: Sources, say: Say
) -> tuple[dict[str, str], tuple[Origin, ...]]:
    """Finds all files except images and model; fetches missing wheels.

    Raises:
        BundleError: A file is missing.
    """
    say("fetching the wheels of requirements.txt")
    wheels = wheel_files(sources.root / "requirements.txt", sources.wheels)
    places, definitions = definition_files(needed_definitions(resources), sources.definitions)
    origins = [
        *program_files(sources.root, stack),
        *built_programs(),
        *wheels,
        *definitions,
    ]
    return dict(places), tuple(sorted(origins))


def _locked(image: FoundImage, oras: Oras, say: Say) -> LockedImage:
    say(f"asking {image.reference.host} for {image.reference.path}")
    root, blobs = image_graph(
        image.reference.digest,
        lambda digest: oras.manifest(image.reference, digest),
        str(image.reference),
    )
    if root.digest != image.reference.digest:
        msg = f"{image.reference}: the registry returned another image for this digest"
        raise BundleError(msg)
    return LockedImage(image.reference, root, blobs, image.used_by)
