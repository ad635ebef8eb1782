"""`breakeven traffic`: traffic settings from logs or from a preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from breakeven.cli.documents.writing import as_json
from breakeven.cli.files import write_whole
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.byte_progress import byte_progress
from breakeven.cli.stack_file import merge_settings, setting_lines
from breakeven.cli.traffic.report import TrafficReport
from breakeven.errors import UnknownStackError, UserError
from breakeven.reports.text import wrapped
from breakeven.settings.files import PROJECT, stack_names, stack_values
from breakeven.traffic.columns import FIELDS
from breakeven.traffic.errors import TrafficError
from breakeven.traffic.importer import ImportOptions, import_logs, printable_name
from breakeven.traffic.kind import Kind
from breakeven.traffic.kinds import KINDS
from breakeven.traffic.presets import SOURCES, Preset, preset_settings
from breakeven.traffic.profile import HOURS_OF_DAY, Profile, Setting, measure
from breakeven.traffic.relative_time import TimeUnit
from breakeven.traffic.shape_file import MARK, shape_text

traffic = typer.Typer(
    name="traffic",
    help="Convert request logs to a stack's traffic settings.\n\n"
    "Also reads usage exports, or takes a published preset.\n\n"
    "Example: breakeven traffic preset medium",
    no_args_is_help=True,
)

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,127}", re.ASCII)
_RESERVED = ("published", "flat")
_ENDINGS = (".gz", ".csv", ".jsonl", ".ndjson", ".json", ".tsv", ".txt", ".log")


class TrafficImportError(UserError):
    """Invalid logs, options or files; nothing was written."""


_AUTO = "auto"


def _kinds() -> list[str]:
    return [_AUTO, *KINDS]


@dataclass(frozen=True, slots=True)
class _Places:
    """Files that an import writes."""

    shape: Path
    stack: Path | None


@traffic.command("import")
def import_traffic(  # noqa: PLR0913  # one parameter an option
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Log files, plain or gzipped; Prometheus files in chronological order.",
            metavar="FILE…",
        ),
    ],
    *,
    kind: Annotated[
        str,
        typer.Option(
            autocompletion=_kinds,
            help=f"Kind of all files: {', '.join(KINDS)}; auto detects the kind of each file.",
        ),
    ] = _AUTO,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the shape file in stacks/traffic/. Default: the name of the first file."
        ),
    ] = None,
    stack: Annotated[
        str | None, typer.Option(help="Stack file to merge the settings into.")
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            help="Columns of request logs: "
            "timestamp=NAME,input=NAME,output=NAME,cached=NAME,model=NAME,call=NAME,spend=NAME; "
            "any of them."
        ),
    ] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Count only requests to this model, as named in the log; may be repeated."
        ),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            help="Time 0 of a log with relative times, such as 2026-11-02 or 2026-11-02T09:30."
        ),
    ] = "",
    time_unit: Annotated[
        TimeUnit | None, typer.Option(help="Unit of relative times. Default: as stated in the log.")
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            help="Time zone of the hours of the week, and of request logs without time zones, "
            "such as Europe/Berlin."
        ),
    ] = "UTC",
    max_bad_percent: Annotated[
        float,
        typer.Option(
            min=0,
            max=100,
            help="Maximum share of bad rows in percent; a log with more is rejected.",
        ),
    ] = 1,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Measure traffic in logs: volume, lengths, cached share, hours of the week, burst, spend.

    Keeps counts and sums, never a prompt. Reads request logs (CSV, JSONL), usage reports of OpenAI
    and Anthropic, exports of LiteLLM, OpenRouter, Langfuse and Helicone, metrics of Azure OpenAI
    and of vLLM in Prometheus, and published traces.

    With --stack it merges the settings into the stack file; otherwise it prints them. Both write
    stacks/traffic/NAME for traffic.shape, if the log covers the hours of the week.

    Example: breakeven traffic import november.csv.gz --timezone Europe/Berlin --stack dev
    """
    now = datetime.now(tz=UTC)
    zone = _zone(timezone)
    shape_name = name or _name_after(files[0])
    places = _places(shape_name, stack)
    options = ImportOptions(
        kind=_kind(kind),
        columns=_columns(columns, _kind(kind)),
        zone=zone,
        latest=(now + timedelta(days=1)).timestamp(),
        max_bad_percent=max_bad_percent,
        now=now.timestamp(),
        models=frozenset(model or ()),
        start=_start(start),
        time_unit=time_unit,
    )
    try:
        with byte_progress(sum(file.stat().st_size for file in files if file.is_file())) as advance:
            imported = import_logs(files, options, advance)
        profile = measure(imported.tally, zone, imported.clock)
    except TrafficError as error:
        raise TrafficImportError(str(error)) from error
    # The checks and prices of an estimate take a while to import; help does not need them.
    from breakeven.cli.traffic.fitting import fitted, fitted_to_default  # noqa: PLC0415
    from breakeven.cli.traffic.spend import spend_of  # noqa: PLC0415

    measured = profile.settings(shape_name)
    if stack is None:
        fitting = fitted_to_default(measured, profile)
    else:
        _merged(places, measured)  # checked first: a file whose lines cannot be changed
        values = stack_values(stack, PROJECT)
        fitting = fitted(stack, values, measured, profile, now.date())
        profile = _with_week(profile, values)
    report = TrafficReport(
        sources=tuple(
            f"{printable_name(file)} ({found.name})"
            for file, found in zip(files, imported.kinds, strict=True)
        ),
        zone=timezone,
        imported=imported,
        profile=profile,
        fitted=fitting,
        spend=spend_of(imported.tally, profile.days, now),
        shape_name=shape_name,
        stack=stack,
    )
    shape = shape_text(profile, report.sources, timezone, now.date()) if profile.rates else None
    _write(places, shape, fitting.settings)
    if output_format is Format.JSON:
        typer.echo(as_json("traffic-import", report.as_output()))
    else:
        typer.echo(report.as_text(), nl=False)


@traffic.command("preset")
def preset(
    size: Annotated[Preset, typer.Argument(help="Amount of traffic.")],
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the traffic settings of a documented preset, if you have no logs yet.

    Example: breakeven traffic preset medium
    """
    settings = preset_settings(size)
    if output_format is Format.JSON:
        typer.echo(as_json("traffic-preset", {"settings": settings, "sources": dict(SOURCES)}))
        return
    typer.echo("\n".join(setting_lines(settings)))
    typer.echo("\nSources of the figures")
    sources = [f"- {what}: {source}." for what, source in SOURCES.items()]
    typer.echo(wrapped(sources), nl=False)


def _with_week(profile: Profile, values: Mapping[str, object]) -> Profile:
    """Returns a profile that repeats its mean day, for a stack with a weekly schedule."""
    replicas = values.get("replicas")
    scheduled = isinstance(replicas, Mapping) and replicas.get("schedule")
    if scheduled and profile.rates and len(profile.rates) == HOURS_OF_DAY:
        return replace(profile, rates=profile.rates * 7)
    return profile


def _start(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        msg = f'--start: found "{text}". Allowed: a date or time such as 2026-11-02T09:30'
        raise TrafficImportError(msg) from None


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # needs no table of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        msg = (
            f'--timezone: found "{name}". Allowed: an IANA time zone, such as Europe/Berlin or '
            "America/New_York"
        )
        raise TrafficImportError(msg) from error


def _kind(name: str) -> Kind | None:
    if name != _AUTO and name not in KINDS:
        msg = f'--kind: found "{name}". Allowed: {", ".join(_kinds())}'
        raise TrafficImportError(msg)
    return KINDS.get(name)


def _columns(text: str, kind: Kind | None) -> Mapping[str, str]:
    """Reads `--columns`."""
    if text and kind is not None and not kind.takes_columns:
        msg = (
            f"--columns: has no effect with --kind {kind.name}. Omit it, or use --kind requests-csv"
        )
        raise TrafficImportError(msg)
    stated: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, _, column = (piece.strip() for piece in part.partition("="))
        if field not in FIELDS or not column or field in stated:
            msg = (
                f'--columns: found "{part}". Allowed: each of {", ".join(FIELDS)} at most once, '
                "as in --columns timestamp=when,input=tokens_read"
            )
            raise TrafficImportError(msg)
        stated[field] = column
    return stated


def _name_after(file: Path) -> str:
    name = file.name
    while name.lower().endswith(_ENDINGS):
        name = name.rsplit(".", 1)[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")[:128]


def _places(shape_name: str, stack: str | None) -> _Places:
    """Checks before reading that the output can be written."""
    if not _NAME.fullmatch(shape_name) or shape_name in _RESERVED:
        msg = (
            f'--name: found "{shape_name}". Allowed: letters, digits, ".", "_" and "-", but not '
            f"{' or '.join(_RESERVED)}; for example --name november"
        )
        raise TrafficImportError(msg)
    if stack is not None and stack not in stack_names(PROJECT):
        raise UnknownStackError(stack, stack_names(PROJECT))
    shape = PROJECT / "stacks" / "traffic" / shape_name
    if shape.exists() and not _is_ours(shape):
        msg = (
            f"stacks/traffic/{shape_name} already exists and was not written by this command. "
            "Use another --name, or remove the file"
        )
        raise TrafficImportError(msg)
    return _Places(shape, None if stack is None else PROJECT / "stacks" / f"Pulumi.{stack}.yaml")


def _is_ours(shape: Path) -> bool:
    return shape.is_file() and shape.read_bytes().startswith(MARK.encode())


def _write(places: _Places, shape: str | None, settings: Mapping[str, Setting]) -> None:
    """Writes the shape first: a stack file must not name a missing shape."""
    try:
        merged = _merged(places, settings)
        if shape is not None:
            places.shape.parent.mkdir(parents=True, exist_ok=True)
            write_whole(places.shape, shape)
        if places.stack is not None and merged is not None:
            write_whole(places.stack, merged)
    except (OSError, UnicodeDecodeError) as error:
        msg = (
            f"cannot write to {PROJECT / 'stacks'}: {error}. Make the folder writable, then try "
            "again"
        )
        raise TrafficImportError(msg) from error


def _merged(places: _Places, settings: Mapping[str, Setting]) -> str | None:
    """Returns the stack file's text with settings merged in; None without a stack."""
    if places.stack is None:
        return None
    text = places.stack.read_bytes().decode("utf-8")
    return merge_settings(text, settings, f"stacks/{places.stack.name}")
