"""`breakeven diff`: what a change of a stack file does to its cost."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.budget import check_budget
from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.errors import UserError
from breakeven.planning.offline import estimate_stack
from breakeven.reports.diff.changes import Comparison, compare
from breakeven.reports.diff.text import diff_markdown, diff_text
from breakeven.reports.document.reading import Figures, NotAReportError, figures_of
from breakeven.reports.document.writing import as_output
from breakeven.settings.files import ROOT, stack_names


class Format(StrEnum):
    """How a comparison is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class AgainstError(UserError):
    """There is nothing to compare with."""


class BudgetError(UserError):
    """The budget is not an amount."""

    def __init__(self, found: str) -> None:
        super().__init__(f'--budget: found "{found}". Allowed: USD per month above 0, such as 5000')


def diff(
    stack: StackArgument,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another stack, or a file that `breakeven report --format json` or `pulumi stack "
            "export` wrote. Default: the deployed stack, from Pulumi.",
        ),
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Budget for self-hosting in USD/month; if exceeded, the exit code is 2. Default: "
            "pricing.budgetPerMonth of the stack.",
        ),
    ] = None,
) -> None:
    """Compare the cost of a stack with the deployed stack, a report, or another stack.

    Example: breakeven diff aws-prod --against main.json --budget 9000
    """
    today = datetime.now(tz=UTC).date()
    limit = None if budget is None else _amount(budget)
    estimated = estimate_stack(stack, today)
    name, before = _before(stack, against, today)
    comparison = compare(before, figures_of(as_output(estimated)), (name, f"stack {stack}"))
    typer.echo(_written(comparison, output_format))
    check_budget(estimated, limit)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BudgetError(text) from None
    if not amount.is_finite() or amount <= 0:
        raise BudgetError(text)
    return amount


def _written(comparison: Comparison, output_format: Format) -> str:
    if output_format is Format.JSON:
        return as_json("diff", comparison.as_output())
    if output_format is Format.MARKDOWN:
        return diff_markdown(comparison).rstrip("\n")
    return diff_text(comparison)


def _before(stack: str, against: str | None, today: date) -> tuple[str, Figures]:
    """Returns the name and the figures of what is compared with."""
    if against in stack_names():
        return f"stack {against}", figures_of(as_output(estimate_stack(against, today)))
    if against is None:
        return "what is deployed", _read(_exported(stack), f"stack {stack} as deployed")
    try:
        text = Path(against).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        msg = (
            f'--against: found "{against}" ({reason}). Allowed: a stack '
            f"({', '.join(stack_names())}), or a file that `breakeven report STACK --format json "
            "--output FILE` wrote"
        )
        raise AgainstError(msg) from error
    return against, _read(text, against)


def _read(text: str, name: str) -> Figures:
    try:
        return figures_of(json.loads(text))
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}: invalid JSON ({error.msg})"
    except NotAReportError as error:
        reason = str(error)
    msg = (
        f"cannot compare with {name}: {reason}. Save a report with: breakeven report STACK "
        "--format json --output FILE"
    )
    raise AgainstError(msg)


def _exported(stack: str) -> str:
    """Asks Pulumi for the state of a stack."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        msg = (
            "pulumi is not on PATH, so the deployed state is unknown. Run: python3 "
            f"tools/bootstrap run breakeven diff {stack}; or name a saved report or a stack with "
            "--against"
        )
        raise AgainstError(msg)
    done = subprocess.run(
        [pulumi, "stack", "export", "--stack", stack, "--non-interactive"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        reason = said[-1].removeprefix("error: ")
        msg = (
            f"cannot read the deployed state of stack {stack} from Pulumi: {reason}. Name a "
            "saved report or another stack with --against"
        )
        raise AgainstError(msg)
    return done.stdout
