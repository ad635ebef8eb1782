"""`breakeven measure`: what one replica serves, into a record that estimates use."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.measure.in_cluster import Inside, Place, inside
from breakeven.cli.measure.live import line_of, measured, with_program
from breakeven.cli.measure.options import MeasureError, Wishes
from breakeven.cli.options.cluster import ContextOption, KubeconfigOption
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.options.signed_record import KeyOption, signing_key, write_record
from breakeven.cost.report import Report
from breakeven.measurements.guidellm import LoadError
from breakeven.measurements.record import Measurement, as_text
from breakeven.measurements.results import Result, ResultError, read_results
from breakeven.planning.offline import LoadedStack, load_stack, load_stack_of_one_model
from breakeven.planning.own_measurement import served_by
from breakeven.reports.formatting import money, usd, usd_difference
from breakeven.settings.files import MEASUREMENTS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ALIKE = 1.1
"""Maximum ratio of lengths within one record; random lengths vary by a few percent."""


def measure(  # noqa: PLR0913  # one argument an option
    stack: StackArgument,
    *,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="JSON result of vllm bench serve, guidellm, genai-perf, or aiperf, instead of a "
            "new measurement; repeat for each concurrency.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of one replica, such as http://localhost:8000."),
    ] = None,
    in_cluster: Annotated[
        bool,
        typer.Option(
            "--in-cluster",
            help="Measure a ready replica from inside its cluster: one Job per concurrency level, "
            "removed at the end.",
        ),
    ] = False,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE@DIGEST", help="Image with guidellm, for --in-cluster, by digest."
        ),
    ] = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Name under which the model is served or was measured, if it differs from the "
            "stack's."
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Folder or repository of the tokenizer. Default: the model's."),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=1, max=1440, help="Time limit for the measurement, in minutes.")
    ] = 30,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="USD",
            help="Cost limit for the measurement (cost of the replica), in USD.",
        ),
    ] = None,
    seconds: Annotated[
        int, typer.Option(min=10, max=3600, help="Seconds per concurrency level.")
    ] = 60,
    most: Annotated[
        int | None,
        typer.Option(
            "--max-concurrency", min=1, max=4096, help="Maximum number of requests in flight."
        ),
    ] = None,
    guidellm: Annotated[
        str, typer.Option(metavar="PROGRAM", help="Path of guidellm, the load generator.")
    ] = "guidellm",
    key: KeyOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Start without confirmation.")] = False,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Measure the throughput of one replica, and use it in estimates.

    The load has the lengths and the cached share of the stack's traffic. The concurrency is doubled
    until an objective is missed or the replica is full. Time and cost are shown first, and a
    stopped run continues where it was. The record is written to stacks/measurements/; estimates use
    it as long as model, GPU, engine, and flags stay the same. The key is read from OPENAI_API_KEY,
    or in the cluster from the stack's Secret.

    Example: breakeven measure aws-prod --target http://localhost:8000 --minutes 20
    """
    if [bool(results), bool(target), in_cluster].count(True) != 1:
        msg = (
            "give one of --target URL and --in-cluster to measure, or --from FILE to import a "
            "result"
        )
        raise MeasureError(msg)
    signing = signing_key(key)
    loaded = load_stack_of_one_model(stack, "breakeven measure")
    before = loaded.report().total
    try:
        if results:
            found = _imported(loaded, results, model)
        else:
            own = Inside(with_program(guidellm), target or "", "")
            if in_cluster:
                place = Place(image=image, kubeconfig=kubeconfig, context=context)
                own = inside(stack, loaded, place)
            wishes = Wishes(
                run=own.run,
                target=own.target,
                model=model,
                tokenizer=tokenizer or own.tokenizer or None,
                minutes=minutes,
                budget=budget,
                seconds=seconds,
                most=most,
                assume=yes,
            )
            found = measured(loaded, wishes, MEASUREMENTS)
    except (LoadError, ResultError) as error:
        raise MeasureError(str(error)) from error
    # Load generators do not report the cached share; breakeven's load has that of the stack.
    cached = None if results else round(loaded.assumptions.load.cached_input_share * 100)
    path = _write(stack, loaded, found, cached, signing)
    report = load_stack(stack).report()
    output = _output(path, found, before, report)
    if output_format is Format.JSON:
        typer.echo(as_json("measure", output))
        return
    for result in found if results else ():
        typer.echo(line_of(result.point))
    typer.echo(f"Written: {path}")
    typer.echo(_effect(stack, before, report, is_used=bool(output["used"])))


def _imported(loaded: LoadedStack, paths: Sequence[Path], model: str | None) -> list[Result]:
    found: list[Result] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path}: cannot read the file. Give the JSON file that the load generator wrote"
            raise MeasureError(msg) from error
        found.extend(read_results(text, str(path)))
    _check_model(loaded, found, model)
    lengths = [(each.input_tokens, each.output_tokens) for each in found]
    for what, each in zip(("input", "output"), zip(*lengths, strict=True), strict=True):
        if max(each) > _ALIKE * min(each):
            msg = (
                f"requests in these results have {min(each):,.0f} to {max(each):,.0f} {what} "
                "tokens. Import each length separately"
            )
            raise MeasureError(msg)
    return found


def _check_model(loaded: LoadedStack, found: Sequence[Result], stated: str | None) -> None:
    settings = loaded.settings.model
    own = {settings.facts.name, settings.repository, stated or settings.repository}
    names = {name.lower() for name in own} | {name.rpartition("/")[2].lower() for name in own}
    for result in found:
        if result.model and result.model.lower() not in names:
            msg = (
                f"the result is for the model {result.model}, but the stack serves "
                f"{settings.repository}. If they are the same model, add: --model {result.model}"
            )
            raise MeasureError(msg)


def _write(
    stack: str,
    loaded: LoadedStack,
    found: Sequence[Result],
    cached: int | None,
    key: Ed25519PrivateKey | None,
) -> Path:
    day = next((each.day for each in found if each.day), None) or datetime.now(tz=UTC).date()
    measurement = Measurement(
        served=served_by(loaded.settings),
        input_tokens=round(statistics.fmean(each.input_tokens for each in found)),
        output_tokens=round(statistics.fmean(each.output_tokens for each in found)),
        cached_percent=cached,
        points=tuple(sorted((each.point for each in found), key=lambda each: each.concurrency)),
        tool=found[0].tool,
        day=day,
    )
    lengths = f"{measurement.input_tokens}-{measurement.output_tokens}"
    path = MEASUREMENTS / f"{stack}-{day.isoformat()}-{lengths}.json"
    write_record(path, as_text(measurement), key)
    return path


def _output(
    path: Path, found: Sequence[Result], before: Decimal, report: Report
) -> dict[str, object]:
    capacity = report.assumptions.capacity
    return {
        "record": str(path),
        "points": [asdict(result.point) for result in found],
        "used": capacity.record == path.name,
        "outputTokensPerSecondPerReplica": round(capacity.output_tokens_per_second, 3),
        "monthlyBefore": money(before),
        "monthly": money(report.total),
    }


def _effect(stack: str, before: Decimal, report: Report, *, is_used: bool) -> str:
    capacity, load = report.assumptions.capacity, report.assumptions.load
    if is_used:
        change = usd_difference(report.total - before)
        return (
            f"The estimate of {stack} uses it: {capacity.output_tokens_per_second:,.0f} output "
            f"tokens per second and replica, {usd(report.total)}/month ({change})."
        )
    return (
        f"The estimate of {stack} does not use it, because its requests have "
        f"{load.input_tokens:,} input and {load.own_output_tokens:,.0f} output tokens, or "
        "engine.measuredOutputTokensPerSecond is set."
    )
