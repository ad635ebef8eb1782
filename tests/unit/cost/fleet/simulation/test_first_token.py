"""First tokens come in time along a curve, near that of an engine that is run step by step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.demand.lengths import CONVERSATIONS, relative_lengths
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed
from breakeven.cost.fleet.simulation.first_token import (
    late_requests,
    share_alone,
    shares_in_time,
)
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, PROMPTS, SPEED
from tests.unit.cost.fleet.simulation.engine_steps import StepEngine, first_token_times

WITH_PROMPTS = replace(SPEED, prompts=PROMPTS)
PATIENCE = (0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
OUTPUT, SLOTS = 256, 64
DECODE, EACH, TOKEN, OVERHEAD = 0.024, 0.0002, 75e-6, 0.001


def engine(budget: int, mean_tokens: int) -> tuple[StepEngine, ReplicaSpeed]:
    """An 8B model in bf16 on one L40S, about."""
    lengths = tuple(max(1, round(mean_tokens * one)) for one in relative_lengths(CONVERSATIONS))
    prompts = PromptTimes(
        alone=tuple(max(length * TOKEN + OVERHEAD, DECODE) for length in lengths),
        work=tuple(length * TOKEN for length in lengths),
        steps=tuple(math.ceil(length / budget) for length in lengths),
        budget_share=tuple(length / budget for length in lengths),
        decode_alone=DECODE,
        decode_full=DECODE + EACH * (SLOTS - 1),
    )

    def seconds(batch: int) -> float:
        return OUTPUT * (DECODE + EACH * (batch - 1)) + batch * mean_tokens * TOKEN

    speed = ReplicaSpeed(
        slots=SLOTS,
        seconds_alone=seconds(1),
        seconds_full=seconds(SLOTS),
        first_token_seconds=mean_tokens * TOKEN,
        planned_requests_per_second=SLOTS / seconds(SLOTS),
        prompts=prompts,
    )
    return StepEngine(budget, DECODE, EACH, TOKEN, OVERHEAD, lengths, OUTPUT), speed


@pytest.mark.parametrize(
    ("budget", "tokens", "load", "within"),
    [
        (2048, 819, 0.5, 0.06),
        (2048, 819, 0.8, 0.09),
        (8192, 819, 0.5, 0.06),
        (512, 819, 0.8, 0.06),
        (2048, 4000, 0.6, 0.06),
    ],
)
def test_the_curve_is_that_of_single_steps(
    budget: int, tokens: int, load: float, within: float
) -> None:
    steps, speed = engine(budget, tokens)
    rate = load * speed.planned_requests_per_second
    times = first_token_times(steps, rate, 2500, seed=1)
    measured = [float((times <= seconds).mean()) for seconds in PATIENCE]
    assert shares_in_time(speed, [rate], PATIENCE)[0] == pytest.approx(measured, abs=within)
    # Where an objective is kept, it is known better.
    kept = [place for place, share in enumerate(measured) if share > 0.9]
    found = shares_in_time(speed, [rate], PATIENCE)[0]
    assert found[kept] == pytest.approx(np.asarray(measured)[kept], abs=0.04)


@given(st.floats(0.0, 0.7), st.floats(0.0, 30.0), st.floats(0.0, 5.0))
def test_more_patience_and_fewer_requests_never_miss_more(
    rate: float, patience: float, more: float
) -> None:
    [[less, much]] = shares_in_time(WITH_PROMPTS, [rate], [patience, patience + more])
    assert 0 <= less <= much + 1e-9 <= 1 + 2e-9
    [[busier]] = shares_in_time(WITH_PROMPTS, [rate + 0.1], [patience])
    assert busier <= less + 1e-9


def test_the_share_in_time_is_a_curve_and_not_a_step() -> None:
    steps = np.geomspace(0.08, 3.0, 50)
    [shares] = shares_in_time(WITH_PROMPTS, [0.3], steps)
    assert shares[0] < 0.1
    assert shares[-1] > 0.97
    assert np.diff(shares).max() < 0.12


def test_prompts_of_one_length_make_a_step() -> None:
    [shares] = shares_in_time(SPEED, [0.3], [0.19, 0.2, 5.0])
    assert shares.tolist() == [0.0, 1.0, 1.0]
    assert share_alone(SPEED, 0.1) == 0.0


def test_whoever_waits_for_a_slot_has_less_patience_left() -> None:
    patient = replace(CONFIGURATION, speed=WITH_PROMPTS, objective_seconds=2.0)
    kept, ready = np.full(4, 3.0), np.ones(4)
    queue, pace = np.asarray([0.0, 0.5, 1.0, 5.0]), np.asarray([0.7, 0.7, 0.7, 0.0])
    late = late_requests(patient, kept, queue, pace, ready)
    assert 0 <= late[0] < late[1] < late[2] <= late[3] == 3.0
