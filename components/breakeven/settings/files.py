"""Reads Pulumi.yaml and the stack files: declared settings, their defaults, a stack's values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from breakeven.errors import NoYamlError, StackFileError
from breakeven.yaml_documents import read_documents

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]
ROOT = _CHECKOUT if (_CHECKOUT / "Pulumi.yaml").is_file() else _PACKAGE / "project"
"""The checkout; of an installed package the folder with its copies of Pulumi.yaml and charts/."""
WAIVERS = ROOT / "stacks" / "waivers"
PREFIX = "breakeven:"


@cache
def defaults(root: Path = ROOT) -> Mapping[str, str]:
    """Returns the default of every setting, in Pulumi's wire form, in the order of Pulumi.yaml.

    They stand in Pulumi.yaml alone. The engine fills them in as well; reading them here too makes
    the same settings available to tests and to the command line, where no engine runs.
    """
    [project] = read_documents(root / "Pulumi.yaml")
    return {key: wire(entry["default"]) for key, entry in project["config"].items()}


def stack_names(root: Path = ROOT) -> tuple[str, ...]:
    """Returns the names of all stacks that have a file in stacks/, sorted."""
    return tuple(
        sorted(
            path.name.split(".", 1)[1].removesuffix(".yaml")
            for path in (root / "stacks").glob("Pulumi.*.yaml")
        )
    )


def stack_values(stack: str, root: Path = ROOT) -> Mapping[str, str]:
    """Returns what a stack file states, by key without prefix, in Pulumi's wire form.

    Raises:
        FileNotFoundError: There is no such stack file.
        StackFileError: It holds something else than settings; NoYamlError if it is no YAML.
    """
    path = root / "stacks" / f"Pulumi.{stack}.yaml"
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise NoYamlError(path.name, error) from error
    whole = _mapping(stated, path.name, "the file")
    config = _mapping(whole.get("config") or {}, path.name, "config")
    # As the engine does: a key without prefix is the project's own.
    return own_values(
        {
            key if ":" in key else PREFIX + key: wire(_plain(value, f"{path.name}: {key}"))
            for key, value in config.items()
        }
    )


def _mapping(value: object, name: str, what: str) -> Mapping[str, object]:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    msg = f"{name}: {what} holds no settings by key. Allowed: lines such as {PREFIX}model: NAME"
    raise StackFileError(msg)


def _plain(value: object, where: str) -> object:
    """Refuses what JSON does not have, at any depth."""
    if isinstance(value, date):  # YAML reads 2024-01-01 as one
        msg = f"{where}: found the date {value}. Put it in quotes"
        raise StackFileError(msg)
    if isinstance(value, bytes | set):  # !!binary and !!set
        msg = f"{where}: found {value!r}. Allowed: text, numbers, true, false, lists, mappings"
        raise StackFileError(msg)
    if isinstance(value, dict):
        return {_plain(key, where): _plain(item, where) for key, item in value.items()}
    return [_plain(item, where) for item in value] if isinstance(value, list) else value


def own_values(config: Mapping[str, str]) -> Mapping[str, str]:
    """Keeps this project's settings, without their prefix; providers have keys of their own."""
    return {
        key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)
    }


def wire(value: object) -> str:
    """Returns a value as Pulumi hands it to a program: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
