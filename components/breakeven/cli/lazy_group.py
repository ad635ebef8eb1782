"""A group of commands; their modules are imported only when called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is.

    Attributes:
        module: Module below `breakeven.cli`.
        name: Name of the function or group in it.
        help: First line of the command's help; lists show it without importing the module.
    """

    module: str
    name: str
    help: str

    def load(self, command: str) -> Any:
        """Imports the module and returns its command.

        Args:
            command: Name under which it is called.
        """
        found = getattr(import_module(f"breakeven.cli.{self.module}"), self.name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            for each in group.commands.values():
                each.help = _paragraphs(each.help)
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(command, help=_paragraphs(found.__doc__))(found)
        return typer.main.get_command(alone)


def _paragraphs(text: str | None) -> str:
    """Returns a docstring with one line for each paragraph, which the terminal wraps."""
    paragraphs = cleandoc(text or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


class LazyGroup(TyperGroup):
    """Lists its commands from `places`, and imports the called one.

    Attributes:
        places: Each command's, by its name, in the order of the help; subclasses state it.
    """

    places: Mapping[str, Place] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, place in self.places.items():
            self.add_command(TyperCommand(name, help=place.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Returns the called command, with the remaining arguments; see click."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else self.places[name].load(name), rest
