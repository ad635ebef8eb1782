"""Fields of a model's config.json, each checked as it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

LARGEST_BYTES = 16 * 2**20
"""A config.json has a few kB, or MBs where it lists every module that is not quantized (3.1 MB in a
public checkpoint of ModelOpt); more is another file, such as the weights."""

_LARGEST_DIMENSION = 10**8

_WANTED = "the config.json of the model's repository, a few kB of JSON"

_LARGEST_FACTOR = 10**6

_LONGEST_HEADER = 2**40

_BEGINNINGS = (
    (b"GGUF", "a GGUF file, whose weights vLLM reads slowly or not at all"),
    (b"PK\x03\x04", "a zip archive, such as weights of PyTorch"),
    (b"\x80\x02", "a pickle, such as weights of PyTorch"),
    (b"\x1f\x8b", "a compressed file"),
)


def other_file(beginning: bytes) -> str:
    """Returns the kind of a file that cannot be JSON; empty if it may be JSON.

    Args:
        beginning: Its first 8 bytes.
    """
    for begins, name in _BEGINNINGS:
        if beginning.startswith(begins):
            return name
    # Safetensors begin with the length of their header, 8 bytes little-endian, then "{".
    is_length = b"\0" in beginning and int.from_bytes(beginning, "little") < _LONGEST_HEADER
    return "a safetensors file: the weights themselves" if is_length else ""


class ModelConfigError(ValueError):
    """A config.json that cannot be used; the message names file and field."""


@dataclass(frozen=True, slots=True)
class ConfigFields:
    """The fields of one JSON object of a config.json.

    Attributes:
        file: How messages call the file.
        values: The object.
        inside: Name of the object and a dot, where it is a part of another; otherwise empty.
    """

    file: str
    values: Mapping[str, object]
    inside: str = ""

    @classmethod
    def read(cls, path: Path) -> ConfigFields:
        """Reads a file.

        Raises:
            ModelConfigError: It cannot be read, is too large, or holds no JSON object.
        """
        file = str(path)
        try:
            with path.open("rb") as stream:
                text = stream.read(LARGEST_BYTES + 1)
        except IsADirectoryError:
            msg = f"{file} is a folder. Name the file: {path / 'config.json'}"
            raise ModelConfigError(msg) from None
        except OSError as error:
            msg = f"cannot read {file}: {error.strerror}. Allowed: the config.json of a model"
            raise ModelConfigError(msg) from None
        other = other_file(text[:8])
        if other:
            msg = f"{file} is {other}. Allowed: {_WANTED}"
            raise ModelConfigError(msg)
        if len(text) > LARGEST_BYTES:
            msg = f"{file}: over {LARGEST_BYTES // 2**20} MiB. Allowed: {_WANTED}"
            raise ModelConfigError(msg)
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            msg = f"{file}: invalid JSON ({error}). Allowed: the config.json of a model"
            raise ModelConfigError(msg) from None
        if not isinstance(values, dict):
            msg = f"{file}: not a JSON object. Allowed: the config.json of a model"
            raise ModelConfigError(msg)
        return cls(file, values)

    def has(self, name: str) -> bool:
        """Tells whether a field is there and not null."""
        return self.values.get(name) is not None

    def first(self, *names: str) -> str:
        """Returns the first of several names of a field that is there; else the last name."""
        return next((name for name in names if self.has(name)), names[-1])

    def part(self, name: str) -> ConfigFields:
        """Returns the fields of an object within this one.

        Raises:
            ModelConfigError: There is none of that name.
        """
        value = self.values.get(name)
        if not isinstance(value, dict):
            self.refuse(name, "an object")
        return ConfigFields(self.file, value, f"{self.inside}{name}.")

    def whole(
        self, name: str | tuple[str, ...], default: int | None = None, *, least: int = 1
    ) -> int:
        """Returns a whole number from `least` to 10^8; a null counts as missing.

        Args:
            name: Of the field; or several names, of which the first that is there counts.
            default: For a missing field; None refuses it.
            least: The least that is allowed.

        Raises:
            ModelConfigError: It is missing and has no default, or is something else.
        """
        names = (name,) if isinstance(name, str) else name
        there = next((each for each in names if self.has(each)), "")
        if not there and default is not None:
            return default
        value = self.values.get(there)
        if type(value) is not int or not least <= value <= _LARGEST_DIMENSION:
            allowed = f"a whole number from {least} to {_LARGEST_DIMENSION:,}"
            self.refuse(there or " or ".join(names), allowed)
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

    def number(self, name: str, default: float) -> float:
        """Returns a number over 0, whole or not; a null counts as missing.

        Raises:
            ModelConfigError: It is something else.
        """
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, "a number over 0")
        if not 0 < value <= _LARGEST_FACTOR:
            self.refuse(name, f"a number over 0, at most {_LARGEST_FACTOR:,}")
        return float(value)

    def text(self, name: str) -> str:
        """Returns a text; empty if it is missing or something else."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def items(self, name: str) -> list[object] | None:
        """Returns a list, or None if there is none; a null counts as missing.

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
