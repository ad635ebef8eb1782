"""`breakeven review`: whether to keep hosting a stack, as the body of a pull request."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.diff import AgainstError
from breakeven.cli.documents.writing import as_json
from breakeven.cli.files import write_whole
from breakeven.cli.progress.waiting import waiting
from breakeven.errors import ExitCode, UnknownStackError, UserError
from breakeven.planning.offline import estimate_stack, load_stack
from breakeven.reports.diff.changes import compare
from breakeven.reports.document.reading import Figures, NotAReportError, figures_of
from breakeven.reports.document.writing import as_output
from breakeven.reports.review import Review, Step, review_markdown, review_output
from breakeven.settings.files import PROJECT, stack_names

_COMMAND = "from breakeven.cli.start import main; main()"
REVIEWS = "stacks/reviews"
"""Folder of the estimates that later reviews compare with."""


class Format(StrEnum):
    """Output formats of a review."""

    MARKDOWN = "markdown"
    JSON = "json"


class ReviewError(UserError):
    """A step of the review failed; files written by earlier steps are kept."""


def review(  # noqa: PLR0913  # one argument for each option
    stack: StackArgument,
    *,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Fetch prices over the network first: breakeven prices refresh."
        ),
    ] = False,
    prices: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Read a price list instead of the network; may be repeated."
        ),
    ] = None,
    observed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Last month's observed data, for breakeven reconcile; may be repeated.",
        ),
    ] = None,
    traffic: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="LOG",
            help="Last month's request log, which is imported into the stack file; may be "
            "repeated.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Saved estimate to compare with. Default: {REVIEWS}/STACK.json, or, if that "
            "does not exist, the stack as it was before this review.",
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help=f"Save this estimate in {REVIEWS}/STACK.json.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="File to write. Default: print it.")] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Output format.")
    ] = Format.MARKDOWN,
) -> None:
    """Review a stack: should we still host this, and what changed?

    Refreshes prices, reconciles last month with the plan, imports last month's traffic, estimates
    again, and writes the body of a pull request. Without --refresh it needs no network. A monthly
    job for GitHub and GitLab: docs/review.md.

    Example: breakeven review aws-prod --refresh --traffic november.csv --save --output review.md
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    today = datetime.now(tz=UTC).date()
    saved = PROJECT / REVIEWS / f"{stack}.json"
    name, before = _before(stack, against or (saved if saved.is_file() else None), today)
    steps: list[Step] = []
    if refresh or prices:
        steps.append(_prices(prices or []))
    if observed:
        files = [part for file in observed for part in ("--from", str(file))]
        steps.append(_step("Plan and actual", ["reconcile", stack, *files]))
    if traffic:
        shape = f"{stack}-{_last_month(today)}"
        arguments = ["traffic", "import", *map(str, traffic), "--stack", stack, "--name", shape]
        steps.append(_step("Traffic of last month", arguments))
    with waiting("Estimating"):
        # Prices written by a step are read here for the first time.
        report = load_stack(stack, today).report_with_levers()
    now = figures_of(as_output(report))
    if save:
        saved.parent.mkdir(parents=True, exist_ok=True)
        write_whole(saved, json.dumps(as_output(report), indent=2))
    written = _written(stack, prices=bool(refresh or prices), traffic=bool(traffic), save=save)
    found = Review(
        report=report,
        comparison=compare(before, now, (name, f"stack {stack}")),
        steps=tuple(steps),
        written=written,
    )
    is_json = output_format is Format.JSON
    body = as_json("review", review_output(found)) + "\n" if is_json else review_markdown(found)
    if output is None:
        typer.echo(body, nl=False)
    else:
        write_whole(output, body)


def _before(stack: str, against: Path | None, today: date) -> tuple[str, Figures]:
    """Returns the name and the figures of what is compared with."""
    if against is None:
        with waiting("Estimating the stack as it was"):
            # In a separate process, which uses the earlier price book.
            data = _run(["report", stack, "--format", "json"])
        if data.returncode not in {ExitCode.FINE, ExitCode.OVER_BUDGET}:
            # Only the current process knows whether a later step fixes it.
            estimate_stack(stack, today)
        return "the stack before this review", figures_of(json.loads(data.stdout))
    try:
        return f"the review in {against.name}", figures_of(
            json.loads(against.read_text(encoding="utf-8"))
        )
    except (OSError, ValueError, NotAReportError) as error:
        msg = (
            f"cannot compare with {against}: {error}. Allowed: a file that `breakeven review "
            "--save` or `breakeven report STACK --format json --output FILE` wrote"
        )
        raise AgainstError(msg) from None


def _prices(files: list[Path]) -> Step:
    """Refreshes prices; if a source does not answer, keeps the existing prices."""
    arguments = ["prices", "refresh", *(part for file in files for part in ("--from", str(file)))]
    with waiting("Refreshing prices"):
        done = _run(arguments)
    text = f"{done.stdout}{done.stderr}"
    if done.returncode == ExitCode.FINE:
        return Step("Prices", "refreshed", text)
    if files:
        raise ReviewError(_failed(arguments, done))
    kept = "some were kept" if done.returncode == ExitCode.PRICE else "not refreshed"
    return Step("Prices", f"{kept}, because a source did not answer", text)


def _step(title: str, arguments: list[str]) -> Step:
    with waiting(title):
        done = _run(arguments)
    if done.returncode != ExitCode.FINE:
        raise ReviewError(_failed(arguments, done))
    return Step(title, f"breakeven {arguments[0]}", done.stdout)


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs another command, so that a review shows the command's own output."""
    return subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments], capture_output=True, text=True, check=False
    )


def _failed(arguments: list[str], done: subprocess.CompletedProcess[str]) -> str:
    said = done.stderr.strip().removeprefix("error: ") or f"exit code {done.returncode}"
    return f"breakeven {' '.join(arguments)}: {said}"


def _last_month(today: date) -> str:
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year}-{month:02}"


def _written(stack: str, *, prices: bool, traffic: bool, save: bool) -> tuple[str, ...]:
    files = {
        "stacks/prices/": prices,
        f"stacks/Pulumi.{stack}.yaml": traffic,
        "stacks/traffic/": traffic,
        f"{REVIEWS}/{stack}.json": save,
    }
    return tuple(name for name, is_written in files.items() if is_written)
