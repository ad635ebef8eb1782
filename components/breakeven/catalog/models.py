"""Open models: presets with their shapes, and who sells them by API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType

from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.configs.reader import facts_of
from breakeven.catalog.model_facts import ModelFacts
from breakeven.catalog.model_parts import PRECISION_BYTES, Task
from breakeven.suggestions import UnknownNameError, near_names

__all__ = [
    "PRECISION_BYTES",
    "ModelFacts",
    "UnknownModelError",
    "find_model",
    "load_models",
]


class UnknownModelError(UnknownNameError):
    """No facts are known about such a model."""

    what = "facts about model"


@dataclass(frozen=True)
class _Preset:
    """One line of `models.json`; its config.json is read when the model is asked for."""

    name: str
    repository: str
    config: Mapping[str, object]
    source: str
    hosted: tuple[str, ...] = ()
    revision: str = ""
    revision_source: str = ""
    task: Task | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    pooling: str = ""
    template: str = ""

    @cached_property
    def facts(self) -> ModelFacts:
        fields = ConfigFields(f"{self.name} in models.json", self.config)
        return replace(
            facts_of(fields, name=self.repository, task=self.task),
            name=self.name,
            hosted=self.hosted,
            revision=self.revision,
            source=self.source,
            overrides=self.overrides,
            pooling=self.pooling,
            template=self.template,
        )


class _Models(Mapping[str, ModelFacts]):
    """All presets by name; each is counted when it is first asked for."""

    def __init__(self, presets: Mapping[str, _Preset]) -> None:
        self._presets = presets
        self._names = {preset.repository.lower(): name for name, preset in presets.items()}

    def __getitem__(self, name: str) -> ModelFacts:
        return self._presets[name].facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._presets)

    def __len__(self) -> int:
        return len(self._presets)

    def name_of(self, wanted: str) -> str | None:
        """Returns the name of a model by name or repository; upper and lower case are the same."""
        lower = wanted.lower()
        return lower if lower in self._presets else self._names.get(lower)


@cache
def load_models() -> _Models:
    """Returns all known models by name."""
    text = (resources.files(__package__) / "data" / "models.json").read_text(encoding="utf-8")
    presets = (
        _Preset(**{**entry, "hosted": tuple(entry["hosted"])})
        for entry in json.loads(text)["models"]
    )
    return _Models(MappingProxyType({preset.name: preset for preset in presets}))


def find_model(name: str) -> ModelFacts:
    """Returns a model by name or by repository; upper and lower case are the same.

    Raises:
        UnknownModelError: There is none of that name.
    """
    models = load_models()
    found = models.name_of(name)
    if found is None:
        raise UnknownModelError(name, near_names(name.rpartition("/")[2], models))
    return models[found]
