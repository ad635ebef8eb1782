"""What a pack has to know of the stack that it judges; the engine hands it no configuration."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from breakeven.errors import UserError
from breakeven.policy.waivers import Waiver, read_waivers
from breakeven.settings.files import WAIVERS, defaults, stack_values


def stack_of(urn: str) -> str:
    """Returns the stack's name that a URN holds: urn:pulumi:STACK::PROJECT::TYPE::NAME."""
    return urn.partition("::")[0].rpartition(":")[2]


def registry_of(stack: str) -> str:
    """Returns the private registry of a stack; empty where it has none."""
    return _setting(stack, "registry")


def waiver_files(stack: str) -> list[Path]:
    """Returns the files of waivers that a stack names."""
    return [WAIVERS / str(name) for name in json.loads(_setting(stack, "waivers"))]


@cache
def waivers_of(stack: str) -> tuple[Waiver, ...]:
    """Returns the waivers of a stack; none where one of its files can't be used."""
    try:
        return read_waivers(waiver_files(stack))
    except UserError:
        return ()  # none counts, and waivers-valid says why


@cache
def _setting(stack: str, key: str) -> str:
    try:
        values = stack_values(stack)
    except FileNotFoundError:
        values = {}
    return values.get(key, defaults()[key])
