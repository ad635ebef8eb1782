"""Figures that somebody wrote down, as YAML or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import yaml

from breakeven.cost.reconciliation.kind import Deployment, Kind
from breakeven.cost.reconciliation.observations import HOURS_PER_DAY, Observed, ObservedError
from breakeven.money import to_cents
from breakeven.yaml_documents import plain_value

PLAIN_FIGURES: Mapping[str, tuple[float, float]] = {
    "tokensPerDay": (1, 1e15),
    "inputTokensPerRequest": (1, 1e6),
    "outputTokensPerRequest": (1, 1e6),
    "burstFactor": (1, 20),
    "outputTokensPerSecondPerReplica": (0.1, 1e7),
    "nodePricePerHour": (0, 10_000),
    "nodeHours": (0.01, 1e9),
    "days": (0.01, 366),
    "busyShare": (0.0001, 1),
    "costPerMonth": (0, 1e12),
    "staffingPerMonth": (0, 1e12),
    "apiPerMonth": (0, 1e12),
}
"""Names of a plain file's figures, with the lowest and the highest value of each; those that are
settings have the settings' limits."""


def from_figures(stated: object, name: str) -> Observed:
    """Reads figures that a person wrote down.

    Args:
        stated: What the file holds, as YAML or JSON reads it.
        name: Of the file, for messages.

    Raises:
        ObservedError: It is not a mapping of known figures to numbers in range, or `nodeHours` is
            without the `days` in which they were counted.
    """
    if not isinstance(stated, dict) or not stated:
        msg = f"{name}: no figures. Allowed: lines of FIGURE: NUMBER, of {', '.join(PLAIN_FIGURES)}"
        raise ObservedError(msg)
    if unknown := [str(key) for key in stated if key not in PLAIN_FIGURES]:
        msg = f"{name}: unknown figure {', '.join(unknown)}. Allowed: {', '.join(PLAIN_FIGURES)}"
        raise ObservedError(msg)
    figures = {key: _number(key, value, name) for key, value in stated.items()}
    if ("nodeHours" in figures) != ("days" in figures):
        found, missing = sorted({"nodeHours", "days"}, key=lambda key: key not in figures)
        msg = (
            f"{name}: {found} is stated without {missing}. State both (node-hours, and the days "
            "in which they were counted) or neither"
        )
        raise ObservedError(msg)

    def whole(key: str) -> int | None:
        return round(figures[key]) if key in figures else None

    def real(key: str) -> float | None:
        return float(figures[key]) if key in figures else None

    hours = real("nodeHours")
    return Observed(
        tokens_per_day=whole("tokensPerDay"),
        input_tokens=whole("inputTokensPerRequest"),
        output_tokens=whole("outputTokensPerRequest"),
        burst_factor=figures.get("burstFactor"),
        output_tokens_per_second=real("outputTokensPerSecondPerReplica"),
        node_price_per_hour=figures.get("nodePricePerHour"),
        mean_nodes=None if hours is None else hours / (float(figures["days"]) * HOURS_PER_DAY),
        busy_share=real("busyShare"),
        cost_per_month=figures.get("costPerMonth"),
        cost_covers="machines" if "costPerMonth" in figures else None,
        people_per_month=_cents(figures.get("staffingPerMonth")),
        api_per_month=_cents(figures.get("apiPerMonth")),
    )


def _cents(value: Decimal | None) -> Decimal | None:
    return None if value is None else to_cents(value)


def _number(key: str, value: object, name: str) -> Decimal:
    lowest, highest = PLAIN_FIGURES[key]
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    if not usable or not lowest <= value <= highest:  # type: ignore[operator]  # told by `usable`
        msg = f"{name}: {key}: found {value!r}. Allowed: a number, {lowest:,} to {highest:,.0f}"
        raise ObservedError(msg)
    return Decimal(str(value))


def _read(text: str, name: str, _deployment: Deployment) -> Observed:
    try:
        document = plain_value(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"{name}: invalid YAML or JSON ({reason}). Fix it and try again"
        raise ObservedError(msg) from error
    return from_figures(document, name)


FIGURES = Kind("figures", lambda text: '"resultType"' not in text, _read)
