"""Fixtures of the tests of commands."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from breakeven.cli.documents import writing
from breakeven.cli.documents.base import Document
from breakeven.cost.fleet.simulation import comparison
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.result import Week
from breakeven.cost.fleet.simulation.simulate import simulate_week
from tests.unit.cli.published import validator_of


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer that a command writes as JSON is checked by its published schema, too."""

    def checked(name: str, document: Document) -> str:
        text = text_of(name, document)
        validator_of(name).validate(json.loads(text))
        return text

    text_of = writing.text_of
    monkeypatch.setattr(writing, "text_of", checked)


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
