"""What a shell offers after Tab, and the argument that names a stack.

A completion never fails: where names can't be read, none are offered.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from breakeven.cli.quick_completion import (
    complete_api,
    complete_gpu,
    complete_model,
    complete_stack,
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
    """Returns the regions of the cloud of --where, of all clouds without it, where prices are."""
    where = ctx.params.get("where")
    places = (place.split("/") for place in _places())
    return sorted(
        {
            region
            for cloud, region in places
            if where in {None, cloud} and region.startswith(incomplete)
        }
    )


def complete_place(incomplete: str) -> list[str]:
    """Returns the regions of the price book as CLOUD/REGION."""
    return [place for place in _places() if place.startswith(incomplete)]


def complete_cloud(incomplete: str) -> list[str]:
    """Returns the clouds of the price book."""
    clouds = dict.fromkeys(place.partition("/")[0] for place in _places())
    return [cloud for cloud in clouds if cloud.startswith(incomplete)]


def _places() -> list[str]:
    from breakeven.cli.prices.book import book_for_command  # noqa: PLC0415  # read after Tab alone
    from breakeven.errors import UserError  # noqa: PLC0415  # likewise

    try:
        return sorted(f"{cloud}/{region}" for cloud, region in book_for_command().regions)
    except UserError:
        return []


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
