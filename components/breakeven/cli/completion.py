"""What a shell offers after Tab, and the argument that names a stack.

A completion never fails: where names can't be read, none are offered.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from breakeven.settings.files import stack_names


def complete_stack(incomplete: str) -> list[str]:
    """Returns the stacks that start with what was typed."""
    return [name for name in stack_names() if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Returns the models of the catalog that start with what was typed."""
    from breakeven.catalog.models import load_models  # noqa: PLC0415  # read after Tab alone

    return [name for name in load_models() if name.startswith(incomplete)]


def complete_gpu(incomplete: str) -> list[str]:
    """Returns the GPUs of the catalog that start with what was typed."""
    from breakeven.catalog.gpus import load_gpus  # noqa: PLC0415  # read after Tab alone

    return [name for name in load_gpus() if name.startswith(incomplete)]


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
