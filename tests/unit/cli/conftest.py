"""Fixtures of the tests of commands."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation import comparison
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.result import Week
from breakeven.cost.fleet.simulation.simulate import simulate_week


@pytest.fixture
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """`breakeven simulate` simulates the first day instead of the week: seven times as fast."""

    def simulate_day(
        rates: NDArray[np.float64],
        burst_factor: float,
        configuration: FleetConfiguration,
        seed: int,
    ) -> Week:
        return simulate_week(rates[:24], burst_factor, configuration, seed)

    monkeypatch.setattr(comparison, "simulate_week", simulate_day)
