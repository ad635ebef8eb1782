"""`breakeven reconcile`: which assumption of an estimate was off."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cli.stack_file import setting_lines
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.reconciliation.kind import Deployment, Kind
from breakeven.cost.reconciliation.kinds import KINDS, detect_kind
from breakeven.cost.reconciliation.observations import Observed, ObservedError, merge
from breakeven.cost.reconciliation.reconcile import reconcile as reconciled
from breakeven.cost.reconciliation.result import Changes
from breakeven.errors import SettingsError, UserError
from breakeven.planning.offline import LoadedStack, load_stack_of_one_model, load_values
from breakeven.reports.reconciliation import as_output, as_text
from breakeven.settings.files import stack_values, with_settings
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.files import open_log

_AMBIGUOUS = tuple(kind.name for kind in KINDS.values() if kind.is_ambiguous)


class ReconcileError(UserError):
    """What was observed can't be used."""


def reconcile(
    stack: StackArgument,
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
        str | None,
        typer.Option(
            autocompletion=lambda: list(KINDS),
            help=f"Kind of answers of Prometheus whose metric does not tell what they count, such "
            f"as those of count(...): {' or '.join(_AMBIGUOUS)}.",
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
    stated = _kind(kind)
    loaded = load_stack_of_one_model(stack, "breakeven reconcile")
    now = datetime.now(tz=UTC)

    def assumptions_with(changes: Changes) -> Assumptions:
        values = with_settings(stack_values(stack), changes)
        return load_values(stack, values, now.date()).assumptions

    try:
        observed = merge((str(path), _read(path, stated, loaded, now)) for path in observed_files)
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


def _read(path: Path, stated: Kind | None, loaded: LoadedStack, now: datetime) -> Observed:
    name = str(path)
    with open_log(path, lambda _: None) as file:
        text = file.read()
    kind = detect_kind(text) or stated
    if kind is None:
        msg = (
            f"{name}: an answer of Prometheus whose metric does not tell what it counts. State it: "
            f"{' or '.join(f'--kind {name}' for name in _AMBIGUOUS)}"
        )
        raise ReconcileError(msg)
    settings = loaded.settings
    deployment = Deployment(
        now=now,
        calendar=loaded.assumptions.calendar,
        replicas_per_node=settings.replicas_per_node,
        nodes_per_replica=settings.engine.pipeline_parallel,
    )
    return kind.read(text, name, deployment)


def _kind(name: str | None) -> Kind | None:
    if name is not None and name not in KINDS:
        msg = f'--kind: found "{name}". Allowed: {", ".join(KINDS)}'
        raise ReconcileError(msg)
    return None if name is None else KINDS[name]
