"""Images that manifests name, in any field, and the parts of an image's name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from breakeven.policy.manifest import Resource, at, listed

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Image:
    """The parts of an image's name; empty for parts that it omits."""

    host: str
    repository: str
    tag: str
    digest: str

    @property
    def location(self) -> str:
        """Host and repository."""
        return f"{self.host}/{self.repository}" if self.host else self.repository

    @property
    def is_pinned(self) -> bool:
        """Whether it has a well-formed digest."""
        return bool(_DIGEST.fullmatch(self.digest))


def parse_image(name: str) -> Image:
    """Splits an image's name: HOST/REPOSITORY:TAG@DIGEST."""
    rest, _, digest = name.partition("@")
    first, slash, below = rest.partition("/")
    # The container runtime's rule: a host has a dot or a port, or is localhost.
    has_host = slash and ("." in first or ":" in first or first == "localhost")
    host, path = (first, below) if has_host else ("", rest)
    repository, _, tag = path.partition(":")
    return Image(host, repository, tag, digest)


def images_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yields every image that a manifest names, with its path.

    It searches containers of any kind, image volumes, and fields named image of custom resources.
    """
    if resource.kind not in ("ConfigMap", "Secret"):
        yield from _images(resource.manifest, "")


def _images(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        image = value.get("image")
        below = f"{path}.image" if path else "image"
        if isinstance(image, str):
            yield below, image
        elif isinstance(at(image, "reference"), str):
            yield f"{below}.reference", at(image, "reference")
        for key, item in value.items():
            # A CustomResourceDefinition describes fields named image but contains no image names.
            if key != "openAPIV3Schema":
                yield from _images(item, f"{path}.{key}" if path else str(key))
    else:
        for number, item in enumerate(listed(value)):
            yield from _images(item, f"{path}[{number}]")
