"""The requests of each step, drawn from the hours of a load.

Minutes within an hour: log-normal weights, correlated from minute to minute, whose spread is set
for each hour so that its peak minute is `burst_factor` times its mean. Requests within a step:
Poisson. The same seed gives the same draws whatever the load, so that two loads or two fleets can
be compared without the noise between two weeks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEP_SECONDS = 15
"""KEDA's polling interval (charts/autoscaling/scaled-object.yaml.j2), and the HPA's own period."""

STEPS_PER_HOUR = 3600 // STEP_SECONDS
STEPS_PER_MINUTE = 60 // STEP_SECONDS

MINUTE_CORRELATION = 0.86
"""Of the logarithms of two minutes that follow each other, which shows as 0.80 within an hour: that
of the conversation trace of Azure 2023 (AzurePublicDataset, CC-BY-4.0; 58 minutes), whose peak
minute the default burst factor is."""

_MINUTES_REMEMBERED = 60  # 0.86^60 is 0.0001
_LARGEST_SPREAD = 1e6  # the peak minute then has the whole hour but for rounding
_HALVINGS = 60
_SMALL_MEAN = 20.0  # requests a step below which the Poisson distribution is inverted exactly
_LARGEST_COUNT = 80  # P(more | mean 20) is below 1e-20


class DemandError(ValueError):
    """Rates or a burst factor for which there is no week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraws:
    """What chance brings, a value a step.

    Attributes:
        arrivals: Requests, whole numbers; standard normal before the rates are known.
        normal: Standard normal, for the requests that end.
        uniform: From 0 to 1, for rounding the requests that end.
        interruption: From 0 to 1, for interruptions of nodes.
    """

    arrivals: NDArray[np.float64]
    normal: NDArray[np.float64]
    uniform: NDArray[np.float64]
    interruption: NDArray[np.float64]


def draw(rates: NDArray[np.float64], burst_factor: float, seed: int) -> StepDraws:
    """Draws a week.

    Args:
        rates: Mean request rate of each hour, in requests per second, 0 or more.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        seed: Of the draws, 0 or more.

    Raises:
        DemandError: There are no hours, a rate is negative or no number, or the burst factor is
            beyond its range.
    """
    chances = _chances_of(rates, burst_factor, seed)
    by_minute = rates[:, np.newaxis] * chances.minutes
    means = np.repeat(by_minute.ravel(), STEPS_PER_MINUTE) * STEP_SECONDS
    return replace(chances.steps, arrivals=poisson_quantiles(means, chances.steps.arrivals))


def draw_hours(
    rates: NDArray[np.float64],
    burst_factor: float,
    seed: int,
    hours: NDArray[np.int64],
    steps: int = STEPS_PER_HOUR,
) -> NDArray[np.float64]:
    """Returns what `draw` does, of some hours only.

    Args:
        rates: As for `draw`.
        burst_factor: As for `draw`.
        seed: As for `draw`.
        hours: Numbers of hours.
        steps: How many of the last steps of each, 1 to all of them.

    Returns:
        By step, by kind in the order of `StepDraws`, by hour.

    Raises:
        DemandError: As for `draw`.
    """
    chances = _chances_of(rates, burst_factor, seed)
    by_minute = rates[hours, np.newaxis] * chances.minutes[hours]
    means = np.repeat(by_minute, STEPS_PER_MINUTE, axis=1)[:, -steps:] * STEP_SECONDS
    drawn = chances.steps
    arrivals, *others = (
        one.reshape(-1, STEPS_PER_HOUR)[hours, -steps:]
        for one in (drawn.arrivals, drawn.normal, drawn.uniform, drawn.interruption)
    )
    kinds = (poisson_quantiles(means, arrivals), *others)
    return np.stack([one.T for one in kinds], axis=1)


def _chances_of(rates: NDArray[np.float64], burst_factor: float, seed: int) -> _Chances:
    if not len(rates) or not np.isfinite(rates).all() or rates.min() < 0:
        msg = "rates need one hour at least, all of them 0 or more"
        raise DemandError(msg)
    return _chances(len(rates), burst_factor, seed)


def rates_by_minute(
    rates: NDArray[np.float64], burst_factor: float, seed: int
) -> NDArray[np.float64]:
    """Returns the mean rate of each minute, as `draw` has it.

    Args:
        rates: Mean rate of each hour, 0 or more.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        seed: Of the draws, 0 or more.

    Raises:
        DemandError: The burst factor is beyond its range.
    """
    minutes = _chances(len(rates), burst_factor, seed).minutes
    return np.asarray((rates[:, np.newaxis] * minutes).ravel())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chances:
    """What is drawn whatever the rates: minutes over the mean of their hour, and the steps."""

    minutes: NDArray[np.float64]
    steps: StepDraws


@lru_cache(maxsize=8)
def _chances(hours: int, burst_factor: float, seed: int) -> _Chances:
    random = np.random.default_rng(seed)
    steps = hours * STEPS_PER_HOUR
    return _Chances(
        minutes=minute_factors(hours, burst_factor, random),
        steps=StepDraws(
            arrivals=random.standard_normal(steps),
            normal=random.standard_normal(steps),
            uniform=random.random(steps),
            interruption=random.random(steps),
        ),
    )


def minute_factors(
    hours: int, burst_factor: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Returns rates of minutes over the mean of their hour, an hour a row: mean 1, the most as set.

    Raises:
        DemandError: The burst factor is not in 1 to below 60.
    """
    if not 1 <= burst_factor < 60:  # noqa: PLR2004  # minutes of an hour
        msg = (
            f"the burst factor is {burst_factor:g}; allowed: 1 to below 60, the minutes of an hour"
        )
        raise DemandError(msg)
    memory = MINUTE_CORRELATION ** np.arange(_MINUTES_REMEMBERED)
    noise = random.standard_normal(hours * 60 + _MINUTES_REMEMBERED - 1)
    series = np.convolve(noise, memory, mode="valid").reshape(hours, 60)
    below_peak = series - series.max(axis=1, keepdims=True)
    # The peak over the mean is 1 / mean(e^(spread x below_peak)) and grows with the spread.
    low, high = np.zeros((hours, 1)), np.full((hours, 1), _LARGEST_SPREAD)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        flat = np.exp(middle * below_peak).mean(axis=1, keepdims=True) * burst_factor > 1
        low, high = np.where(flat, middle, low), np.where(flat, high, middle)
    weights = np.exp(low * below_peak)
    return np.asarray(weights / weights.mean(axis=1, keepdims=True))


def poisson_quantiles(
    means: NDArray[np.float64], normal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turns standard normal draws into Poisson counts that never fall where the mean rises.

    Means below 20 by the distribution itself, others by the expansion of Cornish and Fisher to its
    second term, rounded (Abramowitz and Stegun 26.2.49 with the Poisson's skewness).
    """
    counts = np.floor(means + np.sqrt(means) * normal + (normal**2 - 1) / 6 + 0.5)
    small = means < _SMALL_MEAN
    counts[small] = _small_quantiles(means[small], _normal_share_below(normal[small]))
    return np.maximum(counts, 0.0)


def _small_quantiles(
    means: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    counts = np.zeros_like(means)
    at = np.arange(len(means))
    probability = np.exp(-means)
    below = probability
    for count in range(1, _LARGEST_COUNT + 1):
        more = shares > below
        at = at[more]
        if not len(at):
            break
        counts[at] = count
        means, shares = means[more], shares[more]
        probability = probability[more] * means / count
        below = below[more] + probability
    return counts


def _normal_share_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Abramowitz and Stegun 26.2.17, within 7.5e-8; numpy has no normal distribution function.
    inverse = 1 / (1 + 0.2316419 * np.abs(values))
    factors = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530, 0.0)
    density = np.exp(-(values**2) / 2) / np.sqrt(2 * np.pi)
    above = density * np.polyval(factors, inverse)
    return np.asarray(np.where(values >= 0, 1 - above, above))
