"""The vectorised week is close to one in which each request, pod and node is simulated by itself.

A day or three of six cases; bench/week_simulation.py prints whole weeks of all, with several seeds,
because one burst more or less can move a day by a tenth.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.cost.fleet.simulation.demand import draw
from breakeven.cost.fleet.simulation.simulate import simulate_week
from tests.unit.cost.fleet.simulation.cases import PROMPTS, Case, cases
from tests.unit.cost.fleet.simulation.discrete_event import event_week

SEED = 0
NAMES = (
    "flat, low load",
    "published, low load",
    "published, high load",
    "flat, scale-down window 0",
    "published, 4 replicas a node",
    "published, at most 4 replicas",
)
CHOSEN = [
    # Nodes that several replicas share are emptied by chance, of which a day shows too much.
    next(one for one in cases(72) if one.name == case.name)
    if case.configuration.fleet.replicas_per_node > 1
    else case
    for case in cases(24)
    if case.name in NAMES
]


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_node_hours_and_service_are_those_of_single_requests(case: Case) -> None:
    totals = simulate_week(case.rates, case.burst_factor, case.configuration, SEED).totals
    arrivals = draw(case.rates, case.burst_factor, SEED).arrivals
    events = event_week(arrivals, case.configuration, SEED)
    assert totals.requests == events.requests
    assert totals.node_hours == pytest.approx(events.node_hours, rel=0.05)
    assert totals.objective_share == pytest.approx(events.objective_share, abs=0.02)


def test_single_requests_are_kept_too() -> None:
    case = CHOSEN[2]
    arrivals = draw(case.rates[:3], case.burst_factor, 0).arrivals
    events = event_week(arrivals, case.configuration, 0)
    assert events.served + events.cut + events.left == events.requests


@pytest.mark.parametrize("name", ["published, low load", "published, at most 4 replicas"])
def test_the_curve_of_first_tokens_is_that_of_single_prompts(name: str) -> None:
    """Prompts differ and hold up each other: the share in time rises with the objective."""
    case = next(one for one in CHOSEN if one.name == name)
    speed = replace(case.configuration.speed, prompts=PROMPTS)
    configuration = replace(case.configuration, speed=speed)
    arrivals = draw(case.rates, case.burst_factor, SEED).arrivals
    events = event_week(arrivals, configuration, SEED)
    shares = []
    for seconds, within in ((0.15, 0.08), (0.3, 0.08), (1.0, 0.03), (3.0, 0.03)):
        patient = replace(configuration, objective_seconds=seconds)
        totals = simulate_week(case.rates, case.burst_factor, patient, SEED).totals
        assert totals.objective_share == pytest.approx(events.share_within(seconds), abs=within)
        shares.append(totals.objective_share)
    assert shares == sorted(shares)
    assert shares[0] < 0.5 * shares[-1]
