"""Reads the figures of a report back from its JSON form, saved by hand or kept by a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from breakeven.documents import first_mistake
from breakeven.reports.document.report import ReportCore
from breakeven.type_tokens import ESTIMATE

# Shares and counts in a line's name change with the load; without them it is the same line.
_CHANGING = re.compile(r"[, ]*\b\d+%|\b\d+ x (?=\S)")


class NotAReportError(ValueError):
    """Data that should be a report is none; the message says what is missing or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a comparison needs of a report; money in USD a month.

    Attributes:
        lines: The bill by line, contingency among them; without the shares in their names.
        totals: Infrastructure, staffing, and the total.
        per_million_tokens: USD.
        apis: The same traffic by API.
        break_even: By API, tokens a day from which self-hosting costs less; None for never.
        recommendation: "api", "hosted", "self-host" or "hybrid".
        summary: The recommendation in a sentence.
    """

    lines: Mapping[str, Decimal]
    totals: Mapping[str, Decimal]
    per_million_tokens: Decimal
    apis: Mapping[str, Decimal]
    break_even: Mapping[str, int | None]
    recommendation: str
    summary: str


def figures_of(data: object) -> Figures:
    """Reads figures from a report's JSON form, or from `pulumi stack export`.

    Raises:
        NotAReportError: It is neither, or a figure is missing or of another kind.
    """
    try:
        report = ReportCore.model_validate(_deployed(data), strict=True, extra="ignore")
    except ValidationError as error:
        raise NotAReportError(first_mistake(error)) from error
    own = report.self_hosted
    lines: dict[str, Decimal] = {}
    for line in own.lines:
        if line.monthly is None:
            continue  # private; the totals have it
        name = _CHANGING.sub("", line.item)
        lines[name] = lines.get(name, Decimal(0)) + Decimal(line.monthly)
    if contingency := Decimal(own.contingency):
        lines["Contingency"] = contingency
    return Figures(
        lines=lines,
        totals={
            "Infrastructure": Decimal(own.machines),
            "Staffing": Decimal(own.people),
            "Total": Decimal(own.total),
        },
        per_million_tokens=Decimal(own.per_million_tokens),
        apis={api.api: Decimal(api.monthly) for api in (report.api, *report.hosted)},
        break_even={row.against: row.tokens_per_day for row in report.break_even},
        recommendation=report.recommendation.choice,
        summary=report.recommendation.summary,
    )


def _deployed(data: object) -> object:
    """Returns the figures that a stack's state holds; anything else is returned as it is."""
    if not isinstance(data, Mapping) or "deployment" not in data:
        return data
    deployment = data["deployment"]
    resources = deployment.get("resources") if isinstance(deployment, Mapping) else None
    for resource in resources if isinstance(resources, list) else ():
        if isinstance(resource, Mapping) and resource.get("type") == ESTIMATE:
            return resource.get("inputs")
    msg = f"the state has no resource {ESTIMATE}: nothing is deployed"
    raise NotAReportError(msg)
