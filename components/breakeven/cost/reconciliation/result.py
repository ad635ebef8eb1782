"""What a reconciliation finds: figures, their effects, and what they leave unexplained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.reconciliation.explanation import Explanation
from breakeven.cost.reconciliation.observations import CostCovers

Changes: TypeAlias = Mapping[str, int | str]
"""Settings of a stack by key without prefix, as its file would state them."""

Figure: TypeAlias = Literal[
    "tokensPerDay",
    "inputTokensPerRequest",
    "outputTokensPerRequest",
    "burstFactor",
    "outputTokensPerSecondPerReplica",
    "textsPerSecondPerReplica",
    "nodePricePerHour",
    "nodeHoursPerMonth",
    "busyShare",
    "costPerMonth",
    "staffingPerMonth",
    "apiPerMonth",
]

_SAME = 1e-6  # relative


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        figure: Its name; that of the setting where there is one.
        planned: By the estimate.
        observed: What happened.
        effect: USD by which the monthly total changes if only this one is replaced by what was
            observed; None if it is a result, on which no cost depends.
        changes: Settings that replace it; empty if no setting states it.
        private: Whether reports leave out what was planned.
    """

    figure: Figure
    planned: Decimal
    observed: Decimal
    effect: Decimal | None
    changes: Changes
    private: bool = False

    @property
    def difference(self) -> Decimal:
        """Observed less planned; 0 if they differ by no more than rounding."""
        return self.observed - self.planned if self.differs else Decimal(0)

    @property
    def differs(self) -> bool:
        """Whether it was off at all."""
        return not same(float(self.observed), float(self.planned))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedCost:
    """What was charged, against what the observed figures explain. USD per month.

    Attributes:
        covers: All machines, or GPU nodes only.
        planned: By the estimate.
        explained: With all observed figures in place of the planned ones.
        observed: Charged.
    """

    covers: CostCovers
    planned: Decimal
    explained: Decimal
    observed: Decimal

    @property
    def remainder(self) -> Decimal:
        """What no observed figure explains."""
        return self.observed - self.explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """An estimate compared with observations. Money in USD per month.

    Attributes:
        stack: Name of the stack.
        rows: Every observed figure, largest effect first, those without effect last.
        planned: Total of the estimate, fully loaded.
        by_settings: Total with all observed figures that settings state, put in at once.
        by_all: The same with the observed node-hours too.
        cost: What was charged; None if it was not observed.
        explanation: The way from the plan to the bill; None without a bill by parts.
    """

    stack: str
    rows: tuple[Row, ...]
    planned: Decimal
    by_settings: Decimal
    by_all: Decimal
    cost: ObservedCost | None
    explanation: Explanation | None = None

    @property
    def most_off(self) -> Row | None:
        """The assumption whose own effect is largest; None if none moves the total."""
        moving = (row for row in self.rows if row.effect and row.changes)
        return next(moving, None)

    @property
    def changes(self) -> Changes:
        """Settings that state what was observed, where it differs from the plan."""
        return together(self.rows)


def together(rows: Iterable[Row]) -> Changes:
    """Returns the settings of all figures that were off."""
    stated: dict[str, int | str] = {}
    for row in rows:
        if row.differs:
            stated |= row.changes
    return stated


def same(one: float, other: float) -> bool:
    """Tells whether two figures differ by no more than the rounding of sums."""
    return math.isclose(one, other, rel_tol=_SAME)
