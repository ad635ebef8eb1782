"""`breakeven status`: the current status and cost of a stack's deployment."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from breakeven.cli.completion import StackArgument
from breakeven.cli.options.cluster import (
    ContextOption,
    KubeconfigOption,
    NamespaceOption,
    PrometheusOption,
    namespace_change,
)
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.terminal import whole
from breakeven.cli.status.screen import screen
from breakeven.cluster.connection import connect
from breakeven.cluster.errors import UnreachableError
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus
from breakeven.cluster.status.observe import observe
from breakeven.cluster.status.plan import plan_of
from breakeven.cluster.status.snapshot import Snapshot
from breakeven.manifests.render import render
from breakeven.planning.offline import load_values, read_stack
from breakeven.settings.files import stack_values, with_settings

_Look = Callable[[], Snapshot]
_WIDTH = 100
"""Columns if there is no terminal."""


def status(  # noqa: PLR0913  # one argument for each option
    stack: StackArgument,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C, in place on a terminal.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds between refreshes with --watch.")
    ] = 5.0,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    namespace: NamespaceOption = None,
    prometheus: PrometheusOption = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the current status and cost of a stack's deployment.

    Shows replicas and why some are not ready, nodes and their price, spend compared with plan and
    budget, queue, time to first token, the API's share, and alerts. Changes nothing. Values that
    Prometheus does not report are shown as unknown. With --watch and --format json, prints one
    document per line.

    Example: breakeven status aws-prod --watch
    """
    known = read_stack(stack, namespace_change(namespace))
    cluster = connect(kubeconfig, context)
    asked = (
        Prometheus.at(prometheus)
        if prometheus
        else Prometheus.of_stack(cluster, known.monitoring.prometheus_address)
    )
    now = datetime.now(tz=UTC)
    values = with_settings(stack_values(stack), namespace_change(namespace))
    plan = plan_of(load_values(stack, values, now.date()).report())
    needs = Needs(stack, known, render(known))

    def look() -> Snapshot:
        return observe(needs, cluster, asked, plan, datetime.now(tz=UTC))

    if output_format is Format.JSON:
        _print_json(look, every if watch else None)
    elif watch and sys.stdout.isatty():
        _watch(look, every)
    else:
        _print_text(look, every if watch else None)


def _print_json(look: _Look, every: float | None) -> None:
    if every is None:
        typer.echo(json.dumps(look().as_json(), indent=2))
        return
    _repeat(lambda: typer.echo(json.dumps(look().as_json())), every)


def _print_text(look: _Look, every: float | None) -> None:

    def print_one() -> None:
        typer.echo(_plain(look()))

    if every is None:
        print_one()
    else:
        _repeat(print_one, every)


def _plain(snapshot: Snapshot) -> str:
    """Returns the screen as lines without trailing blanks."""
    width = None if sys.stdout.isatty() else _WIDTH
    console = Console(highlight=False, width=width, color_system=None)
    with console.capture() as captured:
        console.print(screen(snapshot))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _repeat(act: Callable[[], None], every: float) -> None:
    """Repeats until Ctrl-C; the API server can be temporarily unavailable."""
    try:
        while True:
            try:
                act()
            except UnreachableError as error:
                typer.echo(f"error: {error}", err=True)
            time.sleep(every)
    except KeyboardInterrupt:
        return


def _watch(look: _Look, every: float) -> None:
    """Updates one screen; keeps the last one while the API server is unavailable."""
    last = look()
    console = Console(file=whole(sys.stdout), highlight=False)
    try:
        with Live(screen(last), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(every)
                try:
                    last, error = look(), ""
                except UnreachableError as away:
                    error = str(away)
                live.update(screen(last, error), refresh=True)
    except KeyboardInterrupt:
        return
