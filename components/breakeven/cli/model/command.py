"""`breakeven model`: inspect a config.json, or add a model of your own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import typer

from breakeven.cli.lazy_group import LazyGroup, Place


class ModelCommands(LazyGroup):
    """Without a command name, the argument is the file to inspect."""

    places = MappingProxyType(
        {
            "inspect": Place(
                "model.inspect", "inspect", "Count the parameters and memory of a config.json."
            ),
            "list": Place(
                "model.presets",
                "list_presets",
                "List the presets: sizes, vLLM's requirements, and what is unknown.",
            ),
            "add": Place(
                "model.add",
                "add",
                "Write your own model to stacks/models/, and print the settings that use it.",
            ),
            "import-recipes": Place(
                "model.import_recipes",
                "import_recipes",
                "Rebuild the recipes from vLLM's recipes: parsers, flags, versions, variants.",
            ),
        }
    )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Returns the called command; if the name is a file, it is inspected."""
        if args and args[0] not in self.places:
            args = ["inspect", *args]
        return super().resolve_command(ctx, args)


model = typer.Typer(
    name="model",
    cls=ModelCommands,
    help="Count the parameters and memory of a config.json, or add a model.\n\n"
    "`breakeven model FILE` is the same as `breakeven model inspect FILE`.\n\n"
    "Example: breakeven model add Qwen/Qwen3-Next-80B-A3B-Instruct",
    no_args_is_help=True,
    # Options of inspect may come before the file.
    context_settings={"ignore_unknown_options": True},
    add_completion=False,
    pretty_exceptions_enable=False,
)


@model.callback()
def _model() -> None:
    # Makes this a group, regardless of the number of its commands.
    pass
