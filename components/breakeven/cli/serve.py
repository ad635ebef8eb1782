"""`breakeven serve`: a local page to change a stack's settings."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from breakeven.cli.completion import complete_stack
from breakeven.cli.stack_file import merge_settings
from breakeven.errors import SeveralModelsError, StackFileError, UnknownStackError, UserError
from breakeven.settings.files import PROJECT, stack_names, stack_path, stack_values
from breakeven.web.explorer import Explorer
from breakeven.web.server import PageServer


class PortError(UserError):
    """The page cannot be served on the port."""


def serve(
    stack: Annotated[
        str | None,
        typer.Argument(
            help="Name of a stack file in stacks/, such as dev. Default: a stack with all "
            "defaults.",
            autocompletion=complete_stack,
        ),
    ] = None,
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 means any free port.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Open a local page to change a stack's settings and see the cost.

    Change traffic, GPU, API, prices, or staffing: tables, plots, savings, and the resulting stack
    file update. No file is written, and only this machine can reach the page. The page's link
    contains your changes.

    Example: breakeven serve aws-prod
    """
    explorer = explorer_of(stack, datetime.now(tz=UTC).date())
    try:
        server = PageServer(explorer, port)
    except OSError as error:
        msg = f"cannot serve on 127.0.0.1:{port}: {error.strerror}. Allowed: a free port, or 0"
        raise PortError(msg) from None
    with server:
        typer.echo(f"Cost of stack {explorer.name}: {server.url}")
        typer.echo("Press Ctrl-C to stop.")
        if browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Stopped.")


def explorer_of(stack: str | None, today: date) -> Explorer:
    """Returns the backend of a stack's page.

    Args:
        stack: Its name; None for a stack of defaults.
        today: Day on which prices are looked up.

    Raises:
        UnknownStackError: The stack file does not exist.
        SeveralModelsError: It serves several models.
        SettingsError: It has errors.
    """
    if stack is None:
        from breakeven.cli.init.first_answer import described_stack  # noqa: PLC0415  # not else
        from breakeven.cli.init.options import Stated  # noqa: PLC0415  # likewise

        values: Mapping[str, object]
        name, values, text = described_stack(Stated(), today)
    else:
        if stack not in stack_names():
            raise UnknownStackError(stack, stack_names())
        name, values = stack, stack_values(stack)
        text = stack_path(stack, PROJECT).read_text(encoding="utf-8")
    explorer = Explorer(name=name, values=values, today=today, stack_file=_writer(name, text))
    if len(explorer.base.stack.models) > 1:
        raise SeveralModelsError(
            name, "breakeven serve", "Create a stack file with one of the models"
        )
    return explorer


def _writer(name: str, text: str) -> Callable[[Mapping[str, object]], str]:
    def write(changes: Mapping[str, object]) -> str:
        try:
            return merge_settings(text, changes, f"Pulumi.{name}.yaml")
        except StackFileError as error:
            return f"# {error}".replace("\n", "\n# ")

    return write
