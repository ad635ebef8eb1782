"""Fields of a model's config.json, each checked as it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

LARGEST_BYTES = 2**20
"""A config.json has a few kB; more is another file, such as the weights."""

_LARGEST_DIMENSION = 10**8


class ModelConfigError(ValueError):
    """A config.json that can't be used; the message names file and field."""


@dataclass(frozen=True, slots=True)
class ConfigFields:
    """The fields of one JSON object of a config.json.

    Attributes:
        file: How messages call the file.
        values: The object.
        inside: Name of the object and a dot, where it is a part of another; else empty.
    """

    file: str
    values: Mapping[str, object]
    inside: str = ""

    @classmethod
    def read(cls, path: Path) -> ConfigFields:
        """Reads a file.

        Raises:
            ModelConfigError: It can't be read, is too large, or holds no JSON object.
        """
        file = str(path)
        try:
            with path.open("rb") as stream:
                text = stream.read(LARGEST_BYTES + 1)
        except OSError as error:
            msg = f"can't read {file}: {error.strerror}. Allowed: the config.json of a model"
            raise ModelConfigError(msg) from None
        if len(text) > LARGEST_BYTES:
            msg = f"{file}: over 1 MiB. Allowed: the config.json of a model, a few kB"
            raise ModelConfigError(msg)
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            msg = f"{file}: no JSON ({error}). Allowed: the config.json of a model"
            raise ModelConfigError(msg) from None
        if not isinstance(values, dict):
            msg = f"{file}: no JSON object. Allowed: the config.json of a model"
            raise ModelConfigError(msg)
        return cls(file, values)

    def part(self, name: str) -> ConfigFields:
        """Returns the fields of an object within this one.

        Raises:
            ModelConfigError: There is none of that name.
        """
        value = self.values.get(name)
        if not isinstance(value, dict):
            self.refuse(name, "an object")
        return ConfigFields(self.file, value, f"{self.inside}{name}.")

    def whole(self, name: str, default: int | None = None, *, least: int = 1) -> int:
        """Returns a whole number from `least` to 10^8; a null counts as missing.

        Raises:
            ModelConfigError: It is missing and has no default, or is something else.
        """
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if type(value) is not int or not least <= value <= _LARGEST_DIMENSION:
            self.refuse(name, f"a whole number from {least} to {_LARGEST_DIMENSION:,}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Returns true or false; a null counts as missing.

        Raises:
            ModelConfigError: It is something else.
        """
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, "true or false")
        return value

    def items(self, name: str) -> list[object] | None:
        """Returns a list, or None where there is none; a null counts as missing.

        Raises:
            ModelConfigError: It is something else.
        """
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            self.refuse(name, "a list")
        return value

    def refuse(self, name: str, allowed: str) -> NoReturn:
        """Says what was found in a field and what would be accepted.

        Raises:
            ModelConfigError: Always.
        """
        value = self.values.get(name)
        # Shortened: a list of layers, or what is in a wrong file, may be long.
        found = "is missing" if value is None else f"is {json.dumps(value)[:60]}"
        msg = f"{self.file}: {self.inside}{name} {found}. Allowed: {allowed}"
        raise ModelConfigError(msg)
