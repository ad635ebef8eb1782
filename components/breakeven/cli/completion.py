"""Shell completion, and the argument that names a stack."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from breakeven.cli.quick_completion import (
    complete_api,
    complete_cloud,
    complete_gpu,
    complete_model,
    complete_place,
    complete_stack,
    regions_of,
)

__all__ = [
    "StackArgument",
    "StacksArgument",
    "complete_api",
    "complete_cloud",
    "complete_gpu",
    "complete_model",
    "complete_place",
    "complete_region",
    "complete_stack",
]


def complete_region(ctx: typer.Context, incomplete: str) -> list[str]:
    """Returns the priced regions of the cloud in --where; of all clouds without it."""
    return regions_of(ctx.params.get("where"), incomplete)


StackArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="Name of a stack file in stacks/, such as dev.", autocompletion=complete_stack
    ),
]
"""The stack that a command is about."""

StacksArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        help="Names of stack files in stacks/, such as dev; several make one bill.",
        autocompletion=complete_stack,
    ),
]
"""The stacks that a command adds up."""
