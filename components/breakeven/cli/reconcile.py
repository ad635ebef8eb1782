"""`breakeven reconcile`: which assumption of an estimate was off."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml

from breakeven.cli.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cli.stack_file import setting_lines
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.reconciliation.metrics import (
    Kind,
    detect_kind,
    from_node_counts,
    from_vllm,
)
from breakeven.cost.reconciliation.observations import Observed, ObservedError, from_figures, merge
from breakeven.cost.reconciliation.opencost import from_opencost
from breakeven.cost.reconciliation.reconcile import reconcile as reconciled
from breakeven.cost.reconciliation.result import Changes
from breakeven.errors import SettingsError, UserError
from breakeven.planning.inputs import assumptions_of
from breakeven.planning.offline import LoadedStack, load_stack_of_one_model
from breakeven.reports.reconciliation import as_output, as_text
from breakeven.settings.files import stack_values
from breakeven.settings.parse import parse
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.files import open_log


class ReconcileError(UserError):
    """What was observed can't be used."""


def reconcile(
    stack: Annotated[str, typer.Argument(help="Name of a stack file in stacks/, such as dev.")],
    *,
    observed_files: Annotated[
        list[Path],
        typer.Option(
            "--from",
            metavar="FILE",
            help="What happened: an answer of Prometheus or OpenCost, or figures as YAML or JSON; "
            "may be gz; may be repeated.",
        ),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="Of answers of Prometheus whose metric does not tell what they count, such as "
            "those of count(...).",
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Compare an estimate with observed usage and cost.

    Shows which assumption was wrong.

    Every observed figure takes the place of what the stack plans, alone, and the estimate is run
    again; docs/reconcile.md shows the queries.

    Example: breakeven reconcile aws-prod --from week.json --from opencost.json
    """
    loaded = load_stack_of_one_model(stack, "breakeven reconcile")
    now = datetime.now(tz=UTC)

    def assumptions_with(changes: Changes) -> Assumptions:
        settings, reader = parse(
            {**stack_values(stack), **{key: str(value) for key, value in changes.items()}}
        )
        return assumptions_of(stack, settings, reader, now.date())

    try:
        observed = merge((str(path), _read(path, kind, loaded, now)) for path in observed_files)
        with waiting("Estimating with each figure"):
            answer = reconciled(loaded.ledger(), loaded.assumptions, observed, assumptions_with)
    except (ObservedError, TrafficError) as error:
        raise ReconcileError(str(error)) from error
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"stack {stack} can't be estimated with what was observed:\n{problems}"
        raise ReconcileError(msg) from error
    if output_format is Format.JSON:
        typer.echo(json.dumps(as_output(answer), indent=2))
    else:
        typer.echo(as_text(answer, setting_lines(answer.changes)))


def _read(path: Path, kind: Kind | None, loaded: LoadedStack, now: datetime) -> Observed:
    name = str(path)
    with open_log(path, lambda _: None) as file:
        text = file.read()
    found = detect_kind(text) or kind
    if found is Kind.VLLM:
        return from_vllm(text, name, now)
    if found is Kind.NODES:
        return from_node_counts(text, name)
    if found is Kind.REPLICAS:
        settings = loaded.settings
        return from_node_counts(
            text, name, settings.replicas_per_node, settings.engine.pipeline_parallel
        )
    if found is Kind.OPENCOST:
        return from_opencost(text, name, loaded.assumptions.calendar)
    if found is Kind.FIGURES:
        return from_figures(_document(text, name), name)
    msg = (
        f"{name}: an answer of Prometheus whose metric tells not what it counts. Say it: --kind "
        f"{Kind.NODES} or --kind {Kind.REPLICAS}"
    )
    raise ReconcileError(msg)


def _document(text: str, name: str) -> object:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{name}: is no YAML or JSON ({reason}). Mend it, then try again"
        raise ReconcileError(msg) from error
