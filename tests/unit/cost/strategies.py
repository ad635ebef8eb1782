"""Loads and fleets of every kind that the settings allow."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import Fleet

LONGEST_START_SECONDS = 1800.0
"""Start and scale-down of at most this each: a node that is started wastes an hour at most."""


def profiles(longest: int = 30) -> st.SearchStrategy[NDArray[np.float64]]:
    """Request rates of some hours, of which one at least is above 0; some hours are alike."""
    rate = st.one_of(
        st.just(0.0),
        st.integers(1, 8).map(lambda eighths: eighths / 8),
        st.floats(0.001, 1000.0),
    )
    return (
        st.lists(rate, min_size=1, max_size=longest)
        .filter(lambda rates: max(rates) > 0)
        .map(lambda rates: np.asarray(rates, dtype=np.float64))
    )


def money(lowest: str, highest: str) -> st.SearchStrategy[Decimal]:
    """Amounts in USD, in cents."""
    return st.decimals(Decimal(lowest), Decimal(highest), places=2)


capacities = st.floats(0.01, 500.0)
"""Requests a second of one replica."""

bursts = st.floats(1.0, 20.0)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Fleets that `settings` would let pass: fixed nodes hold the highest number of replicas."""
    lowest = draw(st.integers(1, 6))
    highest = lowest + draw(st.integers(0, 30))
    per_node = draw(st.integers(1, 8))
    enough = math.ceil(highest / per_node)
    return Fleet(
        lowest=lowest,
        highest=highest,
        autoscaling=draw(st.booleans()),
        replicas_per_node=per_node,
        gpus_per_node=per_node,
        fixed_nodes=draw(st.one_of(st.none(), st.integers(enough, enough + 4))),
        start_seconds=draw(st.floats(0.0, LONGEST_START_SECONDS)),
        scale_down_seconds=draw(st.floats(0.0, LONGEST_START_SECONDS)),
    )
