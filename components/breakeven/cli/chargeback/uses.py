"""What each team used: from a CSV file, or from the gateway's counters in Prometheus."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from breakeven.cli.reconcile.addresses import TOKEN, fetch_answer
from breakeven.cost.chargeback.statement import ChargebackError, Use
from breakeven.cost.reconciliation.prometheus import read_series
from breakeven.manifests.monitoring.promql import gateway_counter
from breakeven.settings.stack import Settings

_LABELS = ("team", "model", "to")
_COUNTERS: Mapping[str, tuple[tuple[str, ...], int]] = MappingProxyType(
    {"tokens": (("input_tokens", "output_tokens"), 1), "usd": (("nano_usd",), 10**9)}
)
"""By quantity: the gateway's counters that add up to it, and its unit."""

_API = "api"
"""Value of the label of the destination for requests that went to an API."""

_Key = tuple[str, str, str]


def uses_of_prometheus(address: str, settings: Settings, days: float) -> list[Use]:
    """Queries Prometheus for each team's usage.

    Args:
        address: Of Prometheus.
        settings: Of the stack.
        days: Until now.

    Raises:
        ReconcileError: It cannot be reached, or does not answer as Prometheus does.
        ObservedError: An answer cannot be used.
    """
    labels = ", ".join(_LABELS)
    found: dict[str, dict[_Key, Decimal]] = {}
    for what, (counters, parts) in _COUNTERS.items():
        query = " + ".join(
            f"sum by ({labels}) "
            f"(increase({gateway_counter(settings, name)}[{round(days * 1440)}m]))"
            for name in counters
        )
        text = fetch_answer(address, "/api/v1/query", {"query": query}, TOKEN)
        found[what] = {
            (
                str(labelled.get("team", "")),
                str(labelled.get("model", "")),
                str(labelled.get("to", "")),
            ): Decimal(str(points[-1][1])) / parts
            for labelled, points in read_series(text, address)
        }
    return _uses(found["tokens"], found["usd"])


def uses_of_file(path: Path) -> list[Use]:
    """Reads a CSV file with the columns team and tokens, and optionally model, to and usd.

    Args:
        path: Of the file.

    Raises:
        ChargebackError: It cannot be read, lacks a column, or has a value that is not a number.
    """
    tokens: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    dollars: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if lacking := {"team", "tokens"} - set(reader.fieldnames or ()):
                msg = (
                    f"{path}: missing column {' and '.join(sorted(lacking))}. Required: team, "
                    "tokens; optional: model, to (own or api), usd"
                )
                raise ChargebackError(msg)
            for number, row in enumerate(reader, start=2):
                key = row["team"] or "", row.get("model") or "", row.get("to") or "own"
                tokens[key] += _number(row["tokens"], path, number)
                dollars[key] += _number(row.get("usd") or "0", path, number)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: cannot read the file. Give a CSV file with the columns team and tokens"
        raise ChargebackError(msg) from error
    return _uses(tokens, dollars)


def _number(text: str | None, path: Path, line: int) -> Decimal:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        msg = f"{path}: line {line}: found {text!r}. Allowed: a number of 0 or more"
        raise ChargebackError(msg)
    return number


def _uses(tokens: Mapping[_Key, Decimal], dollars: Mapping[_Key, Decimal]) -> list[Use]:
    def total(amounts: Mapping[_Key, Decimal], team: str, model: str, *, api: bool) -> Decimal:
        chosen: Iterable[Decimal] = (
            amount
            for (whose, which, to), amount in amounts.items()
            if (whose, which) == (team, model) and (to == _API) is api
        )
        return sum(chosen, Decimal(0))

    return [
        Use(
            team=team,
            model=model,
            own_tokens=total(tokens, team, model, api=False),
            api_usd=total(dollars, team, model, api=True),
        )
        for team, model in sorted({key[:2] for key in (*tokens, *dollars)})
    ]
