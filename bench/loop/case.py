"""What is run: a stack, the clock it runs on, and the load that it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.demand.load import published_shape
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS, STEPS_PER_HOUR, draw
from breakeven.planning.fleet import configuration_of
from breakeven.planning.offline import load_values
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.stack import Settings

HOURS_A_DAY = 24


@dataclass(frozen=True)
class Clock:
    """How long a step of the simulation lasts here.

    Attributes:
        step_seconds: Real seconds of one step.
        hour_steps: Steps in which an hour's load passes; less than 240 makes the load change
            faster than it does, for settings that stay as they are.
    """

    step_seconds: float
    hour_steps: int

    def real(self, seconds: float) -> float:
        """Real seconds for seconds of the simulation."""
        return seconds / STEP_SECONDS * self.step_seconds

    def whole(self, seconds: float) -> int:
        """The same for settings in whole seconds, at least one."""
        return max(1, round(self.real(seconds)))


@dataclass(frozen=True)
class Load:
    """The requests of some days.

    Attributes:
        hours: Of a day, evenly taken; a divisor of 24.
        days: Of the week, from Monday, 1 to 7.
        idle_hours: The quietest hours of each day, in which no request comes.
        peak_replicas: What the busiest hour asks for in the mean.
        seed: Of the draws.
        burst_factor: Peak minute of an hour over its mean.
    """

    hours: int = HOURS_A_DAY
    days: int = 1
    idle_hours: int = 0
    peak_replicas: float = 4.0
    seed: int = 0
    burst_factor: float = 1.8

    def shape(self) -> NDArray[np.float64]:
        """Load of each hour over that of the busiest, from the quietest of the first day on."""
        week = np.asarray(published_shape()[0])
        week = np.roll(week, -int(week[:HOURS_A_DAY].argmin()))
        hours = week.reshape(-1, HOURS_A_DAY)[: self.days, :: HOURS_A_DAY // self.hours].copy()
        quietest = np.argsort(hours, axis=1)[:, : self.idle_hours]
        np.put_along_axis(hours, quietest, 0.0, axis=1)
        return np.asarray(hours.ravel() / hours.max())


@dataclass(frozen=True)
class Case:
    """A stack with some settings replaced.

    Attributes:
        stack: Its name.
        overrides: Settings by dotted key.
    """

    stack: str
    overrides: Mapping[str, int]

    def settings(self) -> tuple[Settings, FleetConfiguration]:
        """The stack's settings, and what the preview would simulate for it."""
        changes = {**self.overrides, "pricing.maxAgeDays": 36_500}
        values = with_settings(stack_values(self.stack), changes)
        loaded = load_values(self.stack, values, datetime.now(tz=UTC).date())
        assumed = loaded.assumptions
        return loaded.settings, configuration_of(
            loaded.settings, assumed.load, assumed.capacity, 0.0
        )


ONE_AT_LEAST = Case("aws-prod", {"replicas.min": 1})
"""One replica always, and machines that come and go."""

TO_ZERO = Case("hybrid", {"replicas.min": 0, "replicas.max": 8})
"""Nothing at night; the API answers what comes before a replica does, and what is too much."""


@dataclass(frozen=True)
class Trial:
    """One comparison: a stack, on a clock, under a load."""

    case: Case
    clock: Clock
    load: Load


def requests(configuration: FleetConfiguration, clock: Clock, load: Load) -> NDArray[np.float64]:
    """Draw the requests of each step.

    The draws are those of the preview; several of its steps are put into one.
    """
    group = STEPS_PER_HOUR // clock.hour_steps
    speed = configuration.speed
    target = min(configuration.target_requests, speed.slots)
    most = load.peak_replicas * target / speed.seconds(target)
    arrivals = draw(load.shape() * most / group, load.burst_factor, load.seed).arrivals
    return np.asarray(arrivals.reshape(-1, group).sum(axis=1))
