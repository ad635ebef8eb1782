"""`breakeven prices check`: the age of prices, and stacks with stale ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from breakeven.catalog.apis.findings import RetiresSoon, excludes
from breakeven.catalog.apis.token_price_file import in_use
from breakeven.catalog.importers.genai_release import installed_fault
from breakeven.catalog.price import Price
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import TableFormat, TableFormatOption, markdown_table
from breakeven.cli.prices.book import book_for_command
from breakeven.cli.prices.table import plain_table, print_table
from breakeven.cli.progress.waiting import waiting
from breakeven.cost.bill.charge import UnpricedReason
from breakeven.cost.report import ApiCost, Report
from breakeven.errors import ExitCode, SettingsError, UserError
from breakeven.planning.offline import estimate_stack
from breakeven.reports.sentences.apis import api_notes, finding_sentence
from breakeven.reports.sentences.line_items import not_priced_name, not_priced_reason
from breakeven.settings.files import stack_names


class PricesNotCurrentError(UserError):
    """A stack uses a missing or stale price, or an API that will be retired."""

    exit_code = ExitCode.PRICE

    def __init__(self, findings: Sequence[Finding], max_age_days: int) -> None:
        lines = [f"{finding.stack}: {finding}" for finding in findings]
        heading = (
            f"stacks use prices that are missing, over {max_age_days} days old, or of APIs that "
            "will be retired or cannot serve them"
        )
        super().__init__(
            "\n  ".join([heading, *lines])
            + "\nTo fix this, run breakeven prices refresh, set the price in pricing.overrides, "
            "raise --max-age-days, or set another API in api.inUse"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """A price that is missing or stale, or of an API that will be retired.

    Attributes:
        stack: Whose price it is.
        price: Identifier, or the item without a price.
        as_of: Date of a stale price; None for a missing one.
        reason: Why the price is missing; empty for a stale one.
    """

    stack: str
    price: str
    as_of: date | None = None
    reason: str = ""

    def __str__(self) -> str:
        return (
            f"{self.price} of {self.as_of.isoformat()}"
            if self.as_of
            else f"{self.price}: {self.reason}"
        )


def check(
    max_age_days: Annotated[
        int,
        typer.Option(min=0, max=36_500, help="A price older than this many days is stale."),
    ] = 90,
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """Print how old the prices of each source are, and which stacks use missing or stale ones.

    Exit codes: 3 if a stack uses a missing or stale price, or an API that it cannot rely on.

    Example: breakeven prices check --max-age-days 180
    """
    today = datetime.now(tz=UTC).date()
    sources = _sources(book_for_command().prices.values())
    with waiting("Checking the prices of every stack"):
        apis: dict[str, ApiCost] = {}
        findings = [
            finding
            for stack in stack_names()
            for finding in _findings(stack, today, max_age_days, apis)
        ]
    fault = installed_fault()
    if fault:
        findings.append(Finding("all stacks", "prices by API", reason=fault))
    if output_format is TableFormat.JSON:
        document = _as_json(sources, findings, today, max_age_days)
        document["apis"] = {
            name: [finding_sentence(each) for each in cost.price.findings]
            for name, cost in sorted(apis.items())
            if cost.price.findings
        }
        typer.echo(as_json("prices-check", document))
    else:
        _print(sources, today, output_format)
        for note in api_notes(cost for _, cost in sorted(apis.items())):
            typer.echo(note)
    if findings:
        raise PricesNotCurrentError(findings, max_age_days)
    if output_format is not TableFormat.JSON:
        names = ", ".join(stack_names())
        typer.echo(f"\nNo stack uses a price over {max_age_days} days old. Checked: {names}.")


def _sources(book: Iterable[Price]) -> dict[str, list[date]]:
    """Returns the dates of the prices by source; text after a comma describes a single price."""
    days: dict[str, list[date]] = {in_use().source: [in_use().as_of]}
    for price in book:
        name = price.shown_source.partition(",")[0]
        days.setdefault(name, []).append(price.as_of)
    return days


def _findings(
    stack: str, today: date, max_age_days: int, apis: dict[str, ApiCost]
) -> list[Finding]:
    """Returns the findings about a stack's prices, and adds its APIs to `apis`."""
    try:
        report = estimate_stack(stack, today)
    except SettingsError as error:
        if not all(problem.price for problem in error.problems):
            raise
        return [Finding(stack, item.key, reason=item.found) for item in error.problems]
    apis |= {cost.price.reference: cost for cost in (report.api, *report.hosted)}
    return [
        *_missing(stack, report),
        *_old(stack, report, max_age_days),
        *_short_lived(stack, report),
    ]


def _short_lived(stack: str, report: Report) -> Iterable[Finding]:
    """Yields findings about the API in use, and the retirement date of the deciding offer."""
    for cost in (report.api, report.compared_hosted):
        for finding in () if cost is None else cost.price.findings:
            if cost is not None and (excludes(finding) or isinstance(finding, RetiresSoon)):
                yield Finding(stack, cost.price.reference, reason=finding_sentence(finding))


def _missing(stack: str, report: Report) -> Iterable[Finding]:
    for item in report.infrastructure.not_priced:
        if item.reason is UnpricedReason.PRICE_MISSING:
            yield Finding(stack, not_priced_name(item), reason=not_priced_reason(item))


def _old(stack: str, report: Report, max_age_days: int) -> Iterable[Finding]:
    book = report.assumptions.book
    for price in book.used:
        if book.is_stale(price, max_age_days):
            yield Finding(stack, price.identifier, price.as_of)
    if (book.today - in_use().as_of).days > max_age_days:
        yield Finding(stack, in_use().source, in_use().as_of)


def _as_json(
    sources: dict[str, list[date]], findings: Iterable[Finding], today: date, max_age_days: int
) -> dict[str, object]:
    return {
        "today": today.isoformat(),
        "maxAgeDays": max_age_days,
        "sources": [
            {
                "source": source,
                "count": len(days),
                "oldest": min(days).isoformat(),
                "newest": max(days).isoformat(),
                "ageDays": (today - min(days)).days,
            }
            for source, days in sources.items()
        ],
        "findings": [
            {
                "stack": finding.stack,
                "price": finding.price,
                "asOf": finding.as_of.isoformat() if finding.as_of else None,
                "reason": finding.reason or f"over {max_age_days} days old",
            }
            for finding in findings
        ],
    }


def _print(sources: dict[str, list[date]], today: date, output_format: TableFormat) -> None:
    heads = ("Source", "Prices", "Oldest", "Newest", "Age in days")
    rows = [
        (
            source,
            str(len(days)),
            min(days).isoformat(),
            max(days).isoformat(),
            str((today - min(days)).days),
        )
        for source, days in sorted(sources.items(), key=lambda item: min(item[1]))
    ]
    if output_format is TableFormat.MARKDOWN:
        typer.echo(markdown_table(heads, rows))
        return
    table = plain_table()
    table.add_column(heads[0], overflow="fold")
    for heading in heads[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    print_table(table)
