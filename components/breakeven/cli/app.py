"""The commands of `breakeven`: each lives in a module or folder of its own."""

from __future__ import annotations

from types import MappingProxyType

import typer

from breakeven.cli.lazy_group import LazyGroup, Place


class Commands(LazyGroup):
    """A new command is one line here and its module; a test compares the help with the module's."""

    places = MappingProxyType(
        {
            "init": Place("init.command", "init", "Create a stack file that can be previewed."),
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
                "Open a local page on which a stack's traffic, GPU, API and people are moved.",
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
                "Measure what one replica serves, and use it in the estimate.",
            ),
            "evaluate": Place(
                "evaluate.command",
                "evaluate",
                "Evaluate how well models answer your own prompts, and show what a solved task "
                "costs.",
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
                "Split the whole monthly cost of a stack among teams and models.",
            ),
            "evidence": Place(
                "evidence",
                "evidence",
                "Record what a stack deploys, who may call it, from which bundle, by which rules.",
            ),
            "check": Place("check.command", "check", "Check manifests against the policy packs."),
            "preflight": Place(
                "preflight.command",
                "preflight",
                "Check whether a cluster has what a stack needs, and print the fix for what is "
                "missing.",
            ),
            "status": Place(
                "status.command",
                "status",
                "Print what a stack's deployment does and costs now.",
            ),
            "doctor": Place(
                "doctor", "doctor", "List what is missing on this machine and how to get it."
            ),
            "traffic": Place(
                "traffic.command", "traffic", "Turn request logs into traffic settings of a stack."
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


@app.callback()
def breakeven() -> None:
    """Show what self-hosting an open model costs, compared with the API, before deploying it.

    Example: breakeven estimate dev
    """
