"""Reads stack files: which there are, and what each states."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml

from breakeven.errors import NoYamlError, StackFileError
from breakeven.yaml_documents import plain_value

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]
ROOT = _CHECKOUT if (_CHECKOUT / "Pulumi.yaml").is_file() else _PACKAGE / "project"
"""The checkout; of an installed package the folder with its copies of Pulumi.yaml and charts/."""


def user_folder(here: Path, root: Path = ROOT) -> Path:
    """Returns the folder whose stacks/ are the user's: stack files, traffic shapes, own prices.

    That is the checkout. Of an installed package it is the nearest folder, from the current one
    upward, that has stacks/ with a stack file; the current one where there is none.

    Args:
        here: The current folder.
        root: The checkout, or the package's own files.
    """
    if root != _PACKAGE / "project":
        return root
    places = (here, *here.parents)
    return next((place for place in places if stack_names(place)), here)


def _user_folder() -> Path:
    try:
        return user_folder(Path.cwd())
    except FileNotFoundError:  # the current folder was removed
        return ROOT


def stack_names(root: Path | None = None) -> tuple[str, ...]:
    """Returns the names of all stacks that have a file in stacks/, sorted."""
    return tuple(
        sorted(
            path.name.split(".", 1)[1].removesuffix(".yaml")
            for path in ((root or PROJECT) / "stacks").glob("Pulumi.*.yaml")
        )
    )


PROJECT = _user_folder()
"""The folder whose stacks/ are the user's; see `user_folder`."""
TRAFFIC = PROJECT / "stacks" / "traffic"
MEASUREMENTS = PROJECT / "stacks" / "measurements"
"""Records of the user's own measurements; may be absent."""
EVALUATIONS = PROJECT / "stacks" / "evaluations"
"""Records of the user's own evaluations; may be absent."""
TEMPLATES = PROJECT / "stacks" / "templates"
"""Chat templates of the user's own."""
PRICES = PROJECT / "stacks" / "prices"
"""The user's own prices, over those that the package ships; may be absent."""
WAIVERS = (PROJECT if (PROJECT / "stacks" / "waivers").is_dir() else ROOT) / "stacks" / "waivers"
"""Waivers of the user's own, or those that the package brings."""
PREFIX = "breakeven:"
MODELS = "models"
"""Key of the list of models."""
PER_MODEL = ("model", "engine", "weights", "replicas", "traffic", "api", "candidate")
"""Groups that each model may have for itself; what it leaves out it inherits."""

_SLIP = 0.88
"""Likeness from which on another namespace is a slip for this project's: a letter or two."""

V = TypeVar("V")


def stack_path(stack: str, root: Path = PROJECT) -> Path:
    """Returns where a stack's file is, or would be."""
    return root / "stacks" / f"Pulumi.{stack}.yaml"


def stack_values(stack: str, root: Path = PROJECT) -> Mapping[str, object]:
    """Returns what a stack file states: groups by key without prefix.

    Raises:
        FileNotFoundError: There is no such stack file.
        StackFileError: It holds something else than settings; NoYamlError if it is no YAML.
    """
    path = stack_path(stack, root)
    try:
        stated = plain_value(path.read_text(encoding="utf-8")) or {}
    except IsADirectoryError:
        msg = f"stacks/{path.name} is a folder. Needed: a stack file; rename or remove the folder"
        raise StackFileError(msg) from None
    except (yaml.YAMLError, ValueError) as error:
        raise NoYamlError(path.name, error) from error
    whole = _mapping(stated, path.name, "the file")
    config = _mapping(whole.get("config") or {}, path.name, "config")
    # As the engine does: a key without prefix is the project's own.
    return own_values(
        {
            key if ":" in key else PREFIX + key: _plain(value, f"{path.name}: {key}")
            for key, value in config.items()
        },
        path.name,
    )


def _mapping(value: object, name: str, what: str) -> Mapping[str, object]:
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    allowed = f"groups such as {PREFIX}pool: {{gpu: l4}}"
    msg = f"{name}: {what} holds no settings by key. Allowed: {allowed}"
    raise StackFileError(msg)


def _check_namespaces(config: Mapping[str, object], name: str) -> None:
    """Refuses a key whose namespace is probably meant to be this project's."""
    own = PREFIX.removesuffix(":")
    slips = {}
    for key in config:
        namespace, colon, rest = key.partition(":")
        close = get_close_matches(namespace.lower(), [own], cutoff=_SLIP)
        if colon and namespace != own and close:
            slips[key] = f"{PREFIX}{rest}"
    if slips:
        keys, meant = ", ".join(slips), ", ".join(slips.values())
        msg = f"{name}: unknown namespace in {keys}. Did you mean {meant}?"
        raise StackFileError(msg)


def _name(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def _plain(value: object, where: str) -> object:
    """Refuses what JSON does not have, at any depth."""
    if isinstance(value, date):  # YAML reads 2024-01-01 as one
        msg = f"{where}: found the date {value}. Put it in quotes"
        raise StackFileError(msg)
    if isinstance(value, bytes | set):  # !!binary and !!set
        msg = f"{where}: found {value!r}. Allowed: text, numbers, true, false, lists, mappings"
        raise StackFileError(msg)
    if isinstance(value, dict):
        return {_name(_plain(key, where)): _plain(item, where) for key, item in value.items()}
    return [_plain(item, where) for item in value] if isinstance(value, list) else value


def own_values(config: Mapping[str, V], file: str) -> Mapping[str, V]:
    """Keeps this project's settings, without their prefix; providers have keys of their own.

    Args:
        config: Values by NAMESPACE:KEY.
        file: Name of the stack file, for a message.

    Raises:
        StackFileError: A namespace is probably meant to be this project's.
    """
    _check_namespaces(config, file)
    return {
        key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)
    }


def with_settings(values: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Returns what a stack states with single settings changed.

    Args:
        values: Groups by key.
        changes: New values by dotted key, such as replicas.max or models[1].replicas.max; None
            takes the setting away. Where the stack lists one model, its own settings are those
            of the entry.
    """
    changed = dict(values)
    for key, value in changes.items():
        entry = re.match(r"(?P<models>(breakeven:)?models)\[(?P<place>\d+)\]\.(?P<key>.*)", key)
        if entry:
            models = _entries(changed, entry["models"])
            place = int(entry["place"])
            models[place] = with_settings(models[place], {entry["key"]: value})
            changed[entry["models"]] = models
        elif place_of(changed.get(MODELS), key) == 0:
            [model] = _entries(changed, MODELS)
            changed[MODELS] = [with_settings(model, {key: value})]
        else:
            _put(changed, key, value)
    return changed


def place_of(models: object, key: str) -> int | None:
    """Returns in which entry of a list of models a setting belongs; None for the top level."""
    alone = isinstance(models, list) and len(models) == 1 and isinstance(models[0], Mapping)
    return 0 if alone and key.partition(".")[0] in PER_MODEL else None


def _entries(values: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    entries = values.get(key)
    return [*entries] if isinstance(entries, list) else []


def _put(values: dict[str, object], key: str, value: object) -> None:
    first, _, rest = key.partition(".")
    if rest:
        inner = values.get(first)
        group = dict(inner) if isinstance(inner, Mapping) else {}
        _put(group, rest, value)
        values[first] = group
    elif value is None:
        values.pop(first, None)
    else:
        values[first] = value
