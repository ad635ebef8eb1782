"""Each difference between simulation and plan has a sentence."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from breakeven.cost.fleet.simulation.comparison import Comparison, Difference, compare
from breakeven.reports.sentences.simulation import difference_sentences
from tests.unit.cost.builders import assumptions
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Difference.NONE_FIXED_NODES, "paid for all hours"),
        (Difference.NONE_SAME_REPLICAS, "need the same number of replicas"),
        (Difference.REPLICAS_ALIKE, "nearly the same"),
        (Difference.FEWER_REPLICAS, "enough for the peak minute of each hour"),
        (Difference.MORE_REPLICAS, "a start takes 350 s"),
        (Difference.DRAINING_NODES, "wait to be removed"),
        (Difference.PARTLY_FILLED_NODES, "fullest node first"),
        (Difference.BACKLOG, "cannot keep up"),
        (Difference.QUEUEING, "a higher replicas.min"),
    ],
)
def test_a_difference_is_said(difference: Difference, said: str) -> None:
    base = assumptions()
    load = replace(base.load, shape=(1.0,) * 24)
    compared = compare(replace(base, load=load), CONFIGURATION, seed=0)
    with patch.object(Comparison, "reasons", lambda _: (difference,)):
        [sentence] = difference_sentences(compared)
    assert said in sentence
