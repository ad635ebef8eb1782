"""Sensitivity: Monte Carlo over all inputs, and a tornado over each input alone.

Inputs are drawn independently of each other. The generator is seeded, and every input has a column
of its own, so that the same seed gives the same answer and a change of one range leaves the draws
of the others alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

import numpy as np

from breakeven.cost.sensitivity.ranges import INPUTS, InputRange
from breakeven.cost.sensitivity.scenario import Outcome, Scenario, ScenarioModel

SAMPLES = 4000
"""Draws of a Monte Carlo run; its percentiles then move by a percent or two from seed to seed."""

_Value = TypeVar("_Value", Decimal, float)


@dataclass(frozen=True, slots=True)
class Percentiles(Generic[_Value]):
    """A tenth, half and nine tenths of the draws lie at or below these values."""

    p10: _Value
    p50: _Value
    p90: _Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The draws against one API.

    Attributes:
        saving: What self-hosting saves, in USD per month; negative where it costs more.
        break_even: Tokens per day from which self-hosting costs less; infinity for never.
        pays_share: Draws in which self-hosting serves the load for less, 0 to 1.
        never_share: Draws in which it never costs less at any volume, 0 to 1.
    """

    saving: Percentiles[Decimal]
    break_even: Percentiles[float]
    pays_share: float
    never_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonteCarlo:
    """All inputs varied together.

    Attributes:
        samples: How many draws.
        seed: Of the generator.
        total: Self-hosted, in USD per month.
        usd_per_million_tokens: Self-hosted.
        against: Each comparator, in the order of `ScenarioModel.comparators`.
        short_share: Draws in which the configured fleet is too small, so that a larger one is
            priced, 0 to 1.
    """

    samples: int
    seed: int
    total: Percentiles[Decimal]
    usd_per_million_tokens: Percentiles[Decimal]
    against: tuple[Against, ...]
    short_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One input alone, against one API. Money in USD per month.

    Attributes:
        name: The input.
        low: Saving with the input at its low end.
        high: Saving with the input at its high end.
        least: Smallest saving of any whole percent of the range.
        most: Largest.
        flips_at_percent: Whole percent nearest to the stack's own value at which the verdict is
            another; None if it never is.
    """

    name: str
    low: Decimal
    high: Decimal
    least: Decimal
    most: Decimal
    flips_at_percent: int | None

    @property
    def width(self) -> Decimal:
        """How much the input moves the saving."""
        return self.most - self.least


def monte_carlo(
    stack: ScenarioModel, ranges: Mapping[str, InputRange], seed: int, samples: int = SAMPLES
) -> MonteCarlo:
    """Draws all inputs together and counts the outcomes.

    Args:
        stack: The stack.
        ranges: The range of every input, by the names of `INPUTS`.
        seed: Of the generator, 0 or more.
        samples: How many draws, 1 or more.
    """
    uniform = np.random.default_rng(seed).random((samples, len(INPUTS)))
    columns = {
        _field(name): ranges[name].sample(uniform[:, column]).tolist()
        for column, name in enumerate(INPUTS)
    }
    draws = [
        Scenario(**dict(zip(columns, values, strict=True)))
        for values in zip(*columns.values(), strict=True)
    ]
    outcomes = [stack.outcome(draw) for draw in draws]
    crossings = [stack.break_even(draw) for draw in draws]
    return MonteCarlo(
        samples=samples,
        seed=seed,
        total=_percentiles([outcome.total for outcome in outcomes]),
        usd_per_million_tokens=_percentiles(
            [outcome.usd_per_million_tokens for outcome in outcomes]
        ),
        against=tuple(
            _against(number, outcomes, [crossing[number] for crossing in crossings])
            for number in range(len(stack.comparators))
        ),
        short_share=_share([outcome.enlarged for outcome in outcomes]),
    )


def tornado(stack: ScenarioModel, ranges: Mapping[str, InputRange]) -> tuple[tuple[Bar, ...], ...]:
    """Moves each input alone through every whole percent of its range.

    Neither end need be the extreme: more tokens save more until a further node is needed.

    Args:
        stack: The stack.
        ranges: The range of every input, by the names of `INPUTS`.

    Returns:
        For each comparator the inputs, the one that moves the saving most first; a private node
        price is not among them.
    """
    stated = stack.outcome(Scenario())
    # How far a private price moves the saving would tell it.
    shown = [name for name in INPUTS if name != "node-price" or not stack.node_price_is_private]
    moved = {
        name: {
            percent: stack.outcome(Scenario(**{_field(name): percent / 100}))
            for percent in ranges[name].percents()
        }
        for name in shown
    }
    return tuple(
        tuple(
            sorted(
                (_bar(name, moved[name], stated, number) for name in shown),
                key=lambda bar: bar.width,
                reverse=True,
            )
        )
        for number in range(len(stack.comparators))
    )


def _field(name: str) -> str:
    return name.replace("-", "_")


def _bar(name: str, moved: Mapping[int, Outcome], stated: Outcome, comparator: int) -> Bar:
    savings = {percent: outcome.saving(comparator) for percent, outcome in moved.items()}
    verdict = stated.pays(comparator)
    flips = [percent for percent, outcome in moved.items() if outcome.pays(comparator) != verdict]
    return Bar(
        name=name,
        low=savings[min(savings)],
        high=savings[max(savings)],
        least=min(savings.values()),
        most=max(savings.values()),
        flips_at_percent=min(flips, key=lambda percent: abs(percent - 100), default=None),
    )


def _against(comparator: int, outcomes: Sequence[Outcome], crossings: Sequence[float]) -> Against:
    return Against(
        saving=_percentiles([outcome.saving(comparator) for outcome in outcomes]),
        break_even=_percentiles(crossings),
        pays_share=_share([outcome.pays(comparator) for outcome in outcomes]),
        never_share=_share([math.isinf(crossing) for crossing in crossings]),
    )


def _percentiles(values: Sequence[_Value]) -> Percentiles[_Value]:
    # Nearest rank: a draw that happened, so that infinity needs no arithmetic.
    ordered = sorted(values)
    p10, p50, p90 = (
        ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in (10, 50, 90)
    )
    return Percentiles(p10, p50, p90)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)
