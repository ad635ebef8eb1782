"""What a pack needs to know about its stack; the engine passes it no configuration."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from breakeven.errors import UserError
from breakeven.policy.waivers import Waiver, read_waivers
from breakeven.settings.files import stack_values
from breakeven.settings.parse import parse
from breakeven.settings.stack import Stack


def stack_of(urn: str) -> str:
    """Returns the stack's name from a URN: urn:pulumi:STACK::PROJECT::TYPE::NAME."""
    return urn.partition("::")[0].rpartition(":")[2]


def registry_of(stack: str) -> str:
    """Returns the private registry of a stack; empty without one."""
    return _read(stack).network.registry


def waiver_files(stack: str) -> list[Path]:
    """Returns the files of waivers that a stack names."""
    return [*_read(stack).policy.waiver_files]


@cache
def waivers_of(stack: str) -> tuple[Waiver, ...]:
    """Returns the waivers of a stack; none if one of its files is invalid."""
    try:
        return read_waivers(waiver_files(stack))
    except UserError:
        return ()  # no waiver applies, and the rule waivers-valid reports why


@cache
def _read(stack: str) -> Stack:
    """Returns a stack's settings; the defaults if it has no file."""
    try:
        return parse(stack_values(stack))[0]
    except FileNotFoundError:
        return parse({})[0]
