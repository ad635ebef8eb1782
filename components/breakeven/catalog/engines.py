"""Which flags and parsers a release of vLLM takes, its metrics, and its image."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

Version = tuple[int, ...]

_DRIVERS: Mapping[int, int] = {12: 525, 13: 580}
"""Oldest branch of NVIDIA's driver for a major version of CUDA.

Source: NVIDIA, CUDA Compatibility, table "CUDA minor version compatibility", read 2026-11-30.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """A published image of a release.

    Attributes:
        reference: HOST/PATH:TAG@DIGEST.
        cuda: Version of CUDA that it is built with; empty for GPUs of another vendor.
        source: Where the digest is from, with date.
    """

    reference: str
    cuda: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRelease:
    """What a release of vLLM takes.

    Attributes:
        version: Of the release.
        flags: Names of all flags of `vllm serve`, without hyphens in front.
        tool_parsers: Names that --tool-call-parser takes.
        reasoning_parsers: Names that --reasoning-parser takes.
        metrics: Names of its metrics, as Prometheus reads them.
        images: Of the release by vendor of GPUs, where a digest is evidenced.
        source: Where flags, parsers and metrics are from.
    """

    version: Version
    flags: frozenset[str]
    tool_parsers: frozenset[str]
    reasoning_parsers: frozenset[str]
    metrics: frozenset[str]
    images: Mapping[str, EngineImage]
    source: str

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def release_for(version: Version) -> EngineRelease:
    """Returns the release whose flags are taken for a version.

    It is the newest one that is known and not newer than the version; the oldest for any older.
    """
    known = releases()
    return next((each for each in reversed(known) if each.version <= version), known[0])


def deployed_release() -> EngineRelease:
    """Returns the newest release that has an image for GPUs of NVIDIA: what stacks deploy."""
    return next(each for each in reversed(releases()) if "nvidia" in each.images)


def oldest_driver(image: str) -> int | None:
    """Returns the oldest branch of NVIDIA's driver that an image runs with; None if not known.

    vLLM builds its images with the CUDA of the tag (`-cu129`) or else with that of the release.
    """
    tag = re.search(r"/vllm-openai:v(\d+\.\d+\.\d+)(?:-cu(\d\d)\d)?", image)
    if tag is None:
        return None
    if tag[2]:
        return _DRIVERS.get(int(tag[2]))
    known = {str(each): each.images for each in releases()}.get(tag[1], {})
    cuda = known["nvidia"].cuda if "nvidia" in known else ""
    return _DRIVERS.get(int(cuda.partition(".")[0])) if cuda else None


@cache
def releases() -> tuple[EngineRelease, ...]:
    """Returns all releases that are known, the oldest first."""
    folder = resources.files(__package__) / "data" / "engines"
    found = (
        json.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    )
    return tuple(
        sorted(
            (
                EngineRelease(
                    version=tuple(map(int, entry["version"].split("."))),
                    flags=frozenset(entry["flags"]),
                    tool_parsers=frozenset(entry["toolParsers"]),
                    reasoning_parsers=frozenset(entry["reasoningParsers"]),
                    metrics=frozenset(entry["metrics"]),
                    images={
                        vendor: EngineImage(**image)
                        for vendor, image in entry.get("images", {}).items()
                    },
                    source=entry["source"],
                )
                for entry in found
            ),
            key=lambda release: release.version,
        )
    )
