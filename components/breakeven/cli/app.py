"""The commands of `breakeven`, each in a separate module or folder."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

import typer

from breakeven.cli.lazy_group import LazyGroup, Place


class Commands(LazyGroup):
    """To add a command, add its module and one line here; a test compares the help texts."""

    places = MappingProxyType(
        {
            "init": Place("init.command", "init", "Create a stack file."),
            "estimate": Place(
                "estimate", "estimate", "Print the monthly cost of a stack, or of several together."
            ),
            "recommend": Place(
                "recommend.command", "recommend", "Rank configurations for the traffic of a stack."
            ),
            "sensitivity": Place(
                "sensitivity", "sensitivity", "Print P10, P50 and P90 of the cost of a stack."
            ),
            "simulate": Place(
                "simulate", "simulate", "Simulate a week of a stack in steps of 15 seconds."
            ),
            "serve": Place(
                "serve",
                "serve",
                "Open a local page to change a stack's settings and see the cost.",
            ),
            "render": Place(
                "render",
                "render",
                "Print the Kubernetes manifests of a stack, for Argo CD or Flux.",
            ),
            "report": Place("report", "report", "Write the cost of a stack as a document."),
            "diff": Place(
                "diff",
                "diff",
                "Compare the cost of a stack with the deployed stack, a report, or another stack.",
            ),
            "model": Place(
                "model.command",
                "model",
                "Count the parameters and memory of a config.json, or add a model.",
            ),
            "measure": Place(
                "measure.command",
                "measure",
                "Measure the throughput of one replica, and use it in estimates.",
            ),
            "evaluate": Place(
                "evaluate.command",
                "evaluate",
                "Evaluate models on your own prompts, and show the cost per solved task.",
            ),
            "reconcile": Place(
                "reconcile.command",
                "reconcile",
                "Compare an estimate with observed usage and cost.",
            ),
            "review": Place(
                "review",
                "review",
                "Review a stack: should we still host this, and what changed?",
            ),
            "chargeback": Place(
                "chargeback.command",
                "chargeback",
                "Split a stack's monthly cost among teams and models.",
            ),
            "evidence": Place(
                "evidence",
                "evidence",
                "Record what a stack deploys: resources, callers, bundle, and policy rules.",
            ),
            "check": Place("check.command", "check", "Check manifests against the policy packs."),
            "preflight": Place(
                "preflight.command",
                "preflight",
                "Check whether a cluster meets a stack's requirements, and print fixes.",
            ),
            "status": Place(
                "status.command",
                "status",
                "Print the current status and cost of a stack's deployment.",
            ),
            "doctor": Place(
                "doctor",
                "doctor",
                "List programs missing on this machine, and how to install them.",
            ),
            "traffic": Place(
                "traffic.command", "traffic", "Convert request logs to a stack's traffic settings."
            ),
            "prices": Place("prices.command", "prices", "List, check and refresh the price book."),
            "bundle": Place(
                "bundle.command", "bundle", "Pack a stack into a signed bundle for closed networks."
            ),
        }
    )


app = typer.Typer(
    name="breakeven",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # typer passes it by position
    if wanted:
        from breakeven.settings.files import ROOT  # noqa: PLC0415  # most commands do without
        from breakeven.version import program_version  # noqa: PLC0415  # likewise

        typer.echo(f"breakeven {program_version(ROOT)}")
        raise typer.Exit


@app.callback()
def breakeven(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Show the cost of self-hosting an open model, compared with the API, before you deploy.

    Example: breakeven estimate dev
    """
