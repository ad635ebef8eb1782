"""Simulated weeks that were asked for before: what does not change from one request to the next.

Moving the volume changes the week of the stack alone; the weeks of other volumes, which break-even
needs, depend on fleet and shape.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.curves import SimulatedFleet, at_own_volume, simulated_fleet
from breakeven.cost.fleet.simulation.enlargement import run_searches
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.result import SimulatedWeek

_MOST = 4096
"""Weeks that are kept; each holds some hundred numbers."""

_Key = tuple[bytes, float, FleetConfiguration, bool]


class Weeks:
    """Simulates fleets as an estimate does, and remembers every week."""

    def __init__(self) -> None:
        self._own, self._candidates = _Memory(), _Memory()

    def whole(
        self,
        rates: NDArray[np.float64],
        burst_factor: float,
        configuration: FleetConfiguration,
        low_share: float,
    ) -> SimulatedFleet:
        """Returns what `simulate_fleet` returns."""
        case = Case(np.asarray(rates), burst_factor, configuration)
        [found] = run_searches([simulated_fleet(case, low_share)], self._own.simulate)
        return found

    def own(
        self,
        rates: NDArray[np.float64],
        burst_factor: float,
        configuration: FleetConfiguration,
        _: float,
    ) -> SimulatedFleet:
        """Returns the fleet at its own volume alone: its bill and week are the whole one's."""
        case = Case(np.asarray(rates), burst_factor, configuration)
        [week] = self._own.simulate([case])
        return at_own_volume(case, week)

    def candidates(self, cases: Sequence[Case]) -> tuple[SimulatedWeek, ...]:
        """Simulates candidates of levers, which begin with a lead of their own."""
        return self._candidates.simulate(cases)


class _Memory:
    """Weeks that were simulated."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Key, SimulatedWeek] = OrderedDict()

    def simulate(self, cases: Sequence[Case]) -> tuple[SimulatedWeek, ...]:
        """Returns what `simulate_hours` returns."""
        keys = [_key(case) for case in cases]
        unknown = {
            key: case for key, case in zip(keys, cases, strict=True) if key not in self._known
        }
        if unknown:
            weeks = simulate_hours(list(unknown.values()))
            self._known.update(zip(unknown, weeks, strict=True))
        found = tuple(self._known[key] for key in keys)
        for key in keys:
            self._known.move_to_end(key)
        while len(self._known) > max(_MOST, len(cases)):
            self._known.popitem(last=False)
        return found


def _key(case: Case) -> _Key:
    return case.rates.tobytes(), case.burst_factor, case.configuration, case.is_sample
