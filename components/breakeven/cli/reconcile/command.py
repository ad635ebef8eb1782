"""`breakeven reconcile`: compares an estimate with usage and the bill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.bills.charged import BillError
from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cli.reconcile.addresses import Window, ask_opencost, ask_prometheus
from breakeven.cli.reconcile.errors import ReconcileError
from breakeven.cli.reconcile.observed_files import Files
from breakeven.cli.stack_file import setting_lines
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.reconciliation.kind import Kind
from breakeven.cost.reconciliation.kinds import KINDS
from breakeven.cost.reconciliation.observations import Observed, ObservedError, merge
from breakeven.cost.reconciliation.reconcile import reconcile as reconciled
from breakeven.cost.reconciliation.result import Changes, Reconciliation
from breakeven.errors import SettingsError
from breakeven.planning.offline import load_stack_of_one_model, load_values
from breakeven.reports.reconciliation import as_output, as_text
from breakeven.settings.files import stack_values, with_settings
from breakeven.traffic.errors import TrafficError

_AMBIGUOUS = tuple(kind.name for kind in KINDS.values() if kind.is_ambiguous)


def reconcile(  # noqa: PLR0913  # one argument an option
    stack: StackArgument,
    *,
    observed_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Observed data: an export of the cloud bill (AWS CUR 2.0, FOCUS, Azure, Google; "
            "CSV, Parquet, JSONL, or a folder of them), a cost report of OpenAI, Anthropic, "
            "or LiteLLM, a response of Prometheus or OpenCost, or figures as YAML or JSON. "
            "May be gzipped; may be repeated.",
        ),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of Prometheus, for traffic and replicas."),
    ] = None,
    opencost: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of OpenCost, for allocation and assets."),
    ] = None,
    days: Annotated[
        float, typer.Option(min=0.1, max=366, help="Number of past days to query.")
    ] = 7,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Count only rows of a bill with this tag or label; may be repeated. Default: all "
            "rows.",
        ),
    ] = None,
    node_type: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Machine type of the GPU nodes on the bill, if it differs from the stack's; may "
            "be repeated.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            autocompletion=lambda: list(KINDS),
            help="Kind of Prometheus responses with an ambiguous metric, such as those of "
            f"count(...): {' or '.join(_AMBIGUOUS)}.",
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Compare an estimate with observed usage and cost.

    Shows which assumption was wrong.

    Replaces one planned figure at a time with the observed one, and estimates again. With a bill,
    the difference between plan and bill is split by assumption, to the cent. docs/reconcile.md
    shows exports and queries.

    Example: breakeven reconcile aws-prod --from cur.parquet --tag stack=aws-prod --from week.json
    """
    paths = observed_files or []
    if not (paths or prometheus or opencost):
        msg = "nothing to compare with. Give at least one of --from, --prometheus, --opencost"
        raise ReconcileError(msg)
    stated, tags = _kind(kind), _tags(tag or [])
    loaded = load_stack_of_one_model(stack, "breakeven reconcile")
    now = datetime.now(tz=UTC)
    trial = next(iter(loaded.report().candidates), None) if loaded.stack.trials else None
    files = Files(loaded, now, stated, tags, node_type or [], trial)
    window = Window(end=now, days=days)

    def assumptions_with(changes: Changes) -> Assumptions:
        values = with_settings(stack_values(stack), changes)
        return load_values(stack, values, now.date()).assumptions

    def observations() -> Iterator[tuple[str, Observed]]:
        yield from files.observations(paths)
        if prometheus:
            yield from ask_prometheus(prometheus, files, loaded.settings, window)
        if opencost:
            yield from ask_opencost(opencost, files, window)

    try:
        with waiting("Reading observed data"):
            observed = merge(observations())
        with waiting("Estimating with each observed figure"):
            answer = reconciled(
                loaded.ledger(), loaded.assumptions, observed, assumptions_with, trial
            )
    except (BillError, ObservedError, TrafficError) as error:
        raise ReconcileError(str(error)) from error
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"stack {stack} cannot be estimated with the observed data:\n{problems}"
        raise ReconcileError(msg) from error
    _print(answer, files, output_format)


def _print(answer: Reconciliation, files: Files, output_format: Format) -> None:
    if output_format is Format.JSON:
        typer.echo(as_json("reconcile", as_output(answer, files.charged)))
    else:
        typer.echo(as_text(answer, setting_lines(answer.changes), files.charged))


def _kind(name: str | None) -> Kind | None:
    if name is not None and name not in KINDS:
        msg = f'--kind: found "{name}". Allowed: {", ".join(KINDS)}'
        raise ReconcileError(msg)
    return None if name is None else KINDS[name]


def _tags(stated: Sequence[str]) -> list[tuple[str, str]]:
    tags = []
    for text in stated:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            msg = f'--tag: found "{text}". Allowed: KEY=VALUE, such as stack=aws-prod'
            raise ReconcileError(msg)
        tags.append((key, value))
    return tags
