"""Finds every image that a stack's resources name, in any field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from breakeven.bundle.errors import BundleError
from breakeven.bundle.registry.references import ImageReference, parse_reference
from breakeven.cost.bill.registered import Registered

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_NAMES_AN_IMAGE = re.compile(r"image$", re.IGNORECASE)
_FLAG = re.compile(r"--?(?P<name>[\w.-]+)=(?P<value>\S+)")
_WITH_DIGEST = re.compile(r"[\w.:/-]+@sha256:[0-9a-f]+")
# A domain name, a path and a tag, without a scheme, so it is not a web address.
_LIKE_AN_IMAGE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?(?:/[a-z0-9._-]+)+:[\w][\w.-]*")


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image and the resources that name it, as KIND/NAME."""

    reference: ImageReference
    used_by: tuple[str, ...]


def find_images(resources: Sequence[Registered]) -> tuple[FoundImage, ...]:
    """Returns every image that resources name: containers, volumes, custom resources, arguments.

    Args:
        resources: What the stack registers, with plain inputs.

    Raises:
        BundleError: Images are unknown or not pinned by digest; all are named.
    """
    found: dict[ImageReference, set[str]] = {}
    flaws: list[str] = []
    for resource in resources:
        who = f"{resource.type.rpartition(':')[2]}/{resource.name}"
        if resource.properties is None:
            flaws.append(f"{who}: its inputs are not known before it is deployed")
            continue
        for place, value in _candidates(resource.properties, ()):
            reference = parse_reference(value) if isinstance(value, str) else None
            if reference is None:
                said = f'"{value}"' if isinstance(value, str) else "not one known text"
                flaws.append(f"{who}: {'.'.join(place)} is {said}")
            else:
                found.setdefault(reference, set()).add(who)
    if flaws:
        listed = "\n".join(f"  {flaw}" for flaw in dict.fromkeys(flaws))
        msg = (
            f"images that cannot be bundled, because they have no digest:\n{listed}\n"
            "Allowed: HOST/PATH:TAG@sha256:DIGEST. Put tag and digest into the stack file or, for "
            "an image that a component chooses, into the component"
        )
        raise BundleError(msg)
    _require_places_of_their_own(found)
    return tuple(
        FoundImage(reference, tuple(sorted(found[reference]))) for reference in sorted(found)
    )


def _require_places_of_their_own(found: Iterable[ImageReference]) -> None:
    """Inside the boundary, only the path distinguishes images."""
    hosts: dict[str, str] = {}
    for reference in found:
        other = hosts.setdefault(reference.path, reference.host)
        if other != reference.host:
            msg = (
                f"{other} and {reference.host} both have an image {reference.path}, which "
                "conflict in the internal registry. Use only one of them"
            )
            raise BundleError(msg)


def _candidates(value: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yields each text that names an image, or should, with its place."""
    if isinstance(value, Mapping):
        yield from _in_mapping(value, place)
    elif isinstance(value, str):
        yield from ((place, text) for text in _in_text(value))
    elif isinstance(value, Sequence):
        for number, item in enumerate(value):
            if place and place[-1] in _CONTAINERS and isinstance(item, Mapping):
                # If a container has no image, a controller fills in an unknown one.
                yield (*place, str(number), "image"), item.get("image")
            yield from _candidates(item, (*place, str(number)))


def _in_mapping(
    value: Mapping[str, object], place: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, item in value.items():
        here = (*place, str(key))
        if len(place) > 1 and place[-2] == "volumes" and key == "image":
            yield (*here, "reference"), _mapping(item).get("reference")
        elif key == "image" and len(place) > 1 and place[-2] in _CONTAINERS:
            continue  # already seen with its container
        elif _is_image(str(key), item) or (
            key == "value" and _NAMES_AN_IMAGE.search(str(value.get("name", "")))
        ):
            yield here, item
        else:
            yield from _candidates(item, here)


def _is_image(key: str, item: object) -> bool:
    if not _NAMES_AN_IMAGE.search(key):
        return False
    return isinstance(item, str | None) or "repository" in _mapping(item)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _in_text(text: str) -> Iterator[str]:
    if "\n" in text:  # a script or a page: only a text with a digest is certainly an image
        yield from _WITH_DIGEST.findall(text)
        return
    flag = _FLAG.fullmatch(text)
    if flag is not None and _NAMES_AN_IMAGE.search(flag["name"]):
        yield flag["value"]
    elif _WITH_DIGEST.fullmatch(text) or _LIKE_AN_IMAGE.fullmatch(text):
        yield text
    elif flag is not None:
        yield from _in_text(flag["value"])
