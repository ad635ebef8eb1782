"""How vLLM is started for a model: parsers, flags, the oldest version, precisions, draft heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

Version = tuple[int, ...]

NIGHTLY: Version = (999,)
"""Stands for a version that is not released yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same model in another precision.

    Attributes:
        precision: Such as "nvfp4".
        repository: Where its weights are; that of the recipe where it states none.
        minimum_version: Oldest vLLM that serves it; empty for that of the recipe.
        arguments: Further arguments of `vllm serve` for it.
        environment: Further environment variables for it.
    """

    precision: str
    repository: str
    minimum_version: Version = ()
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What vLLM needs for a model.

    Attributes:
        repository: Of the weights.
        minimum_version: Oldest vLLM that serves it; `NIGHTLY` where no release does yet.
        updated: Day of the recipe, as YYYY-MM-DD.
        tool_call_parser: Name of its parser of tool calls; empty for none.
        reasoning_parser: Name of its parser of reasoning; empty for none.
        chat_template: Path of a template in vLLM's repository; empty for that of the model.
        trust_remote_code: Whether vLLM runs code of the repository for it.
        arguments: Further arguments of `vllm serve`.
        tool_arguments: Further arguments that its tool calls need.
        speculative_config: Value of --speculative-config, JSON; empty if none is recommended.
        environment: Environment variables.
        vendor_arguments: Further arguments by GPU vendor.
        vendor_environment: Further environment variables by GPU vendor.
        hardware: "verified", "supported" or "unsupported" by the source's name of a GPU.
        variants: Other precisions, the default first.
    """

    repository: str
    minimum_version: Version
    updated: str
    tool_call_parser: str = ""
    reasoning_parser: str = ""
    chat_template: str = ""
    trust_remote_code: bool = False
    arguments: tuple[str, ...] = ()
    tool_arguments: tuple[str, ...] = ()
    speculative_config: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    vendor_arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vendor_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hardware: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()

    def variant_of(self, repository: str) -> Variant | None:
        """Returns the variant whose weights are in a repository; None if it is not a variant."""
        wanted = repository.lower()
        return next((each for each in self.variants if each.repository.lower() == wanted), None)

    def oldest_version(self, repository: str) -> Version:
        """Returns the oldest vLLM that serves the weights of a repository."""
        variant = self.variant_of(repository)
        return (variant and variant.minimum_version) or self.minimum_version


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHead:
    """A head of a recipe that proposes tokens.

    Attributes:
        repository: Of its weights.
        revision: Commit, in 40 hexadecimal digits.
        parameters: Its parameters.
        source: Where commit and parameters are from.
        as_of: Day of that, as YYYY-MM-DD.
    """

    repository: str
    revision: str
    parameters: int
    source: str
    as_of: str


def version_of(text: str) -> Version:
    """Returns a version such as "0.24.0" as numbers, and `NIGHTLY` for anything else."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else NIGHTLY


def version_text(version: Version) -> str:
    """Returns a version as it is written."""
    return "a nightly build" if version == NIGHTLY else ".".join(map(str, version))


def recipes_source() -> str:
    """Returns where the recipes are from, with date and license."""
    return str(_data()["source"])


def find_recipe(repository: str) -> Recipe | None:
    """Returns the recipe for a repository, its own or else that of which it is a variant."""
    entry = _by_repository().get(repository.lower())
    return None if entry is None else _recipe(entry)


def find_draft_head(repository: str) -> DraftHead | None:
    """Returns the head in a repository; None if its size or commit is not known."""
    return _heads().get(repository.lower())


def recipe_repositories() -> tuple[str, ...]:
    """Returns the repositories that have a recipe of their own."""
    return tuple(entry["repository"] for entry in _data()["recipes"])


@cache
def recipe_templates() -> frozenset[str]:
    """Returns the names of vLLM's own chat templates that recipes use, without folder."""
    paths = (entry.get("chat_template", "") for entry in _data()["recipes"])
    return frozenset(template_name(path) for path in paths if path)


def template_name(path: str) -> str:
    """Returns the name of a template such as examples/NAME.jinja."""
    return path.rpartition("/")[2].removesuffix(".jinja")


@cache
def _data() -> Mapping[str, Any]:
    text = (resources.files(__package__) / "data" / "recipes.json").read_text(encoding="utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


@cache
def _by_repository() -> Mapping[str, Mapping[str, Any]]:
    entries = _data()["recipes"]
    found = {
        each["repository"].lower(): entry
        for entry in entries
        for each in entry["variants"]
        if "repository" in each
    }
    return found | {entry["repository"].lower(): entry for entry in entries}


def _recipe(entry: Mapping[str, Any]) -> Recipe:
    return Recipe(
        **{
            **entry,
            "minimum_version": version_of(entry["minimum_version"]),
            "arguments": tuple(entry.get("arguments", ())),
            "tool_arguments": tuple(entry.get("tool_arguments", ())),
            "vendor_arguments": {
                vendor: tuple(arguments)
                for vendor, arguments in entry.get("vendor_arguments", {}).items()
            },
            "variants": tuple(
                Variant(
                    **{
                        **each,
                        "repository": each.get("repository", entry["repository"]),
                        "minimum_version": version_of(each["minimum_version"])
                        if "minimum_version" in each
                        else (),
                        "arguments": tuple(each.get("arguments", ())),
                    }
                )
                for each in entry.get("variants", ())
            ),
        }
    )


@cache
def _heads() -> Mapping[str, DraftHead]:
    text = (resources.files(__package__) / "data" / "draft_heads.json").read_text(encoding="utf-8")
    heads = [DraftHead(**entry) for entry in json.loads(text)["heads"]]
    return {head.repository.lower(): head for head in heads}
