"""Reads the figures of a report back from its JSON form, saved by hand or kept by a deployment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

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
    report = _object(_deployed(data), "it")
    own = _object(report.get("selfHosted"), "selfHosted")
    lines: dict[str, Decimal] = {}
    for entry in _objects(own, "lines"):
        if entry.get("monthly") is None:
            continue  # private; the totals have it
        name = _CHANGING.sub("", _text(entry, "item"))
        lines[name] = lines.get(name, Decimal(0)) + _decimal(entry, "monthly")
    contingency = _decimal(own, "contingency")
    if contingency:
        lines["Contingency"] = contingency
    advice = _object(report.get("recommendation"), "recommendation")
    return Figures(
        lines=lines,
        totals={
            "Infrastructure": _decimal(own, "machines"),
            "Staffing": _decimal(own, "people"),
            "Total": _decimal(own, "total"),
        },
        per_million_tokens=_decimal(own, "perMillionTokens"),
        apis={
            _text(entry, "api"): _decimal(entry, "monthly")
            for entry in (_object(report.get("api"), "api"), *_objects(report, "hosted"))
        },
        break_even={
            _text(entry, "against"): _tokens(entry) for entry in _objects(report, "breakEven")
        },
        recommendation=_text(advice, "choice"),
        summary=_text(advice, "summary"),
    )


def _deployed(data: object) -> object:
    """Returns the figures that a stack's state holds; what is no state is returned as it is."""
    if not isinstance(data, Mapping) or "deployment" not in data:
        return data
    deployment = _object(data["deployment"], "deployment")
    resources = deployment.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        if isinstance(resource, Mapping) and resource.get("type") == ESTIMATE:
            return resource.get("inputs")
    msg = f"the state has no resource {ESTIMATE}: nothing is deployed"
    raise NotAReportError(msg)


def _object(value: object, name: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    msg = f"{name} is {_found(value)}; allowed: an object as `--format json` prints it"
    raise NotAReportError(msg)


def _objects(parent: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    value = parent.get(key)
    if isinstance(value, list):
        return [_object(entry, f"an entry of {key}") for entry in value]
    msg = f"{key} is {_found(value)}; allowed: a list"
    raise NotAReportError(msg)


def _text(parent: Mapping[str, object], key: str) -> str:
    value = parent.get(key)
    if isinstance(value, str):
        return value
    msg = f"{key} is {_found(value)}; allowed: a text"
    raise NotAReportError(msg)


def _decimal(parent: Mapping[str, object], key: str) -> Decimal:
    value = parent.get(key)
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        msg = f'{key} is {_found(value)}; allowed: a number as a text, such as "12.50"'
        raise NotAReportError(msg)
    return number


def _tokens(parent: Mapping[str, object]) -> int | None:
    value = parent.get("tokensPerDay")
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return round(value)
    msg = f"tokensPerDay is {_found(value)}; allowed: a number, or null for never"
    raise NotAReportError(msg)


def _found(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, str):
        return f'"{value[:40]}"'
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object")
