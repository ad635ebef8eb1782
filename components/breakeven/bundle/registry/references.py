"""References to container images, in the form that bundles use."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PINNED = re.compile(
    r"(?P<host>[a-z0-9.-]+(?::\d+)?)/(?P<path>[a-z0-9._-]+(?:/[a-z0-9._-]+)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?@(?P<digest>sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, order=True)
class ImageReference:
    """An image by host, path and digest; the tag is only for people.

    Attributes:
        host: Registry, with its port if it has one.
        path: Repository in it.
        tag: Empty if there is none.
        digest: `sha256:` and 64 hexadecimal digits; of the index where an image has several
            platforms.
    """

    host: str
    path: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.path}{tag}@{self.digest}"

    @property
    def by_digest(self) -> str:
        """HOST/PATH@DIGEST; another answer of a registry would be noticed."""
        return f"{self.host}/{self.path}@{self.digest}"

    def repository_in(self, registry: str) -> str:
        """Returns the reference in a registry inside the boundary: only the host changes."""
        return f"{registry}/{self.path}"

    def mirrored(self, registry: str) -> str:
        """Returns the pinned reference inside the boundary."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository_in(registry)}{tag}@{self.digest}"


def parse_reference(text: str) -> ImageReference | None:
    """Returns a reference that names host and digest, or None for any other text."""
    match = _PINNED.fullmatch(text)
    if match is None or ("." not in match["host"] and ":" not in match["host"]):
        return None
    return ImageReference(match["host"], match["path"], match["tag"] or "", match["digest"])
