"""Which flags and parsers a release of vLLM takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRelease:
    """What a release of vLLM takes.

    Attributes:
        version: Of the release.
        flags: Names of all flags of `vllm serve`, without hyphens in front.
        tool_parsers: Names that --tool-call-parser takes.
        reasoning_parsers: Names that --reasoning-parser takes.
        source: Where this is from.
    """

    version: Version
    flags: frozenset[str]
    tool_parsers: frozenset[str]
    reasoning_parsers: frozenset[str]
    source: str

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def release_for(version: Version) -> EngineRelease:
    """Returns the release whose flags are taken for a version.

    It is the newest one that is known and not newer than the version; the oldest for any older.
    """
    known = releases()
    return next((each for each in reversed(known) if each.version <= version), known[0])


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
                    source=entry["source"],
                )
                for entry in found
            ),
            key=lambda release: release.version,
        )
    )
