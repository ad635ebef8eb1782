"""The mean replica of two groups answers as both groups do, compared with single requests."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.disaggregation import (
    FULLEST,
    Disaggregation,
    decode_seconds,
    disaggregated_capacity,
    prompt_seconds,
)
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.capacity.roofline import Engine, RequestShape
from breakeven.cost.demand.lengths import CONVERSATIONS, relative_lengths
from breakeven.cost.demand.load import FLAT, Load, flat_shape
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed
from breakeven.cost.fleet.simulation.disaggregated_speed import disaggregated_speed
from breakeven.cost.fleet.simulation.first_token import shares_in_time

ENGINE = Engine(
    model=find_model("llama-3.1-8b-instruct"),
    precision="bf16",
    gpu=load_gpus()["h100"],
    tensor_parallel=1,
)
LOAD = Load(
    tokens_per_day=10**9,
    input_tokens=2000,
    output_tokens=250,
    cached_input_share=0.0,
    shape=flat_shape(),
    shape_source=FLAT,
    burst_factor=1.0,
    own_output_ratio=1.0,
    input_lengths=relative_lengths(CONVERSATIONS),
    lengths_source="published",
    unit="request",
)
REQUEST = RequestShape(input_tokens=2000, output_tokens=250)


def speed(groups: Disaggregation) -> ReplicaSpeed:
    planned = disaggregated_capacity(
        ENGINE,
        REQUEST,
        groups,
        gpu_memory_utilization=0.9,
        max_model_length=32768,
        concurrency_limit=1024,
        objectives=Objectives(first_token_seconds=2.0, inter_token_seconds=0.05),
    )
    return disaggregated_speed(
        ENGINE,
        LOAD,
        planned,
        groups,
        gpu_memory_utilization=0.9,
        max_model_length=32768,
        largest_batch=1024,
    )


def groups_of(prefill: int, decode: int) -> Disaggregation:
    return Disaggregation(prefill=prefill, decode=decode, link_gigabits_per_second=400)


@pytest.mark.parametrize(("prefill", "decode"), [(1, 5), (3, 3), (5, 1)])
def test_full_replicas_serve_what_the_smaller_group_does(prefill: int, decode: int) -> None:
    groups = groups_of(prefill, decode)
    found = speed(groups)
    together = groups.replicas * found.slots / found.seconds_full
    fit = memory_fit(
        ENGINE, gpu_memory_utilization=0.9, max_model_length=32768, request_tokens=2125
    )
    batch = fit.concurrent_requests
    of_prefill = prefill * FULLEST / prompt_seconds(ENGINE, REQUEST)
    of_decode = decode * batch / LOAD.steps / decode_seconds(ENGINE, REQUEST, batch)
    assert together == pytest.approx(min(of_prefill, of_decode))
    # What is planned keeps objectives; full replicas serve as much or more.
    assert found.planned_requests_per_second * groups.replicas <= together * 1.01


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.85])
def test_first_tokens_are_as_late_as_those_of_single_requests(busy: float) -> None:
    """Poisson arrivals at one prefill replica, prompts one after the other, then the way."""
    groups = groups_of(2, 4)
    found = speed(groups)
    prompts = found.prompts
    assert prompts is not None
    served = np.asarray(prompts.work) + np.asarray(prompts.budget_share) * prompts.decode_alone
    rate = busy / served.mean()
    random = np.random.default_rng(1)
    number = 200_000
    kinds = random.integers(0, len(served), number)
    gaps, waited, wait = random.exponential(1 / rate, number), np.zeros(number), 0.0
    for place in range(1, number):
        wait = max(0.0, wait + served[kinds[place - 1]] - gaps[place])
        waited[place] = wait
    times = waited + np.asarray(prompts.alone)[kinds]
    patience = [0.5, 1.0, 2.0]
    # Of all replicas only those of one group get prompts.
    of_mean = rate * groups.prefill / groups.replicas
    shares = shares_in_time(found, [of_mean], patience)[0]
    for limit, share in zip(patience, shares, strict=True):
        seen = float((times <= limit).mean())
        assert share == pytest.approx(seen, abs=0.03), limit
        assert share < seen + 0.01, limit


def test_the_same_requests_are_later_if_fewer_replicas_get_their_prompts() -> None:
    few, many = (
        shares_in_time(speed(groups_of(prefill, 6 - prefill)), [3.0], [1.0])[0, 0]
        for prefill in (2, 4)
    )
    assert few < many
