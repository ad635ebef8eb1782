"""Prefill and decode on separate replicas: what both groups serve, and what the link adds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.capacity.disaggregation import (
    DISAGGREGATION_ERROR_PERCENT,
    HANDOVER_SECONDS,
    Disaggregation,
    GroupRates,
    disaggregated_capacity,
    group_rates,
    prompt_seconds,
)
from breakeven.cost.capacity.engine_defaults import default_requests
from breakeven.cost.capacity.objectives import NO_OBJECTIVES, Objectives
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times

GROUPS = Disaggregation(prefill=2, decode=3, link_gigabits_per_second=400)
ENGINE = Engine(
    model=find_model("llama-3.3-70b-instruct"),
    precision="fp8",
    gpu=load_gpus()["h200"],
    tensor_parallel=4,
)
REQUEST = RequestShape(input_tokens=1000, output_tokens=250)
TIGHT = Objectives(first_token_seconds=2.0, inter_token_seconds=0.05)
LOOSE = Objectives(first_token_seconds=60.0, inter_token_seconds=10.0)


def both(request: RequestShape, objectives: Objectives) -> ReplicaCapacity:
    return replica_capacity(
        ENGINE.model,
        precision=ENGINE.precision,
        gpu=ENGINE.gpu,
        tensor_parallel=ENGINE.tensor_parallel,
        gpu_memory_utilization=0.9,
        max_model_length=32768,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        cached_input_share=0.0,
        concurrency_limit=default_requests(ENGINE.gpu),
        measured_output_tokens_per_second=None,
        objectives=objectives,
    )


def apart(
    request: RequestShape = REQUEST,
    objectives: Objectives = TIGHT,
    groups: Disaggregation = GROUPS,
) -> ReplicaCapacity:
    return disaggregated_capacity(
        ENGINE,
        request,
        groups,
        gpu_memory_utilization=0.9,
        max_model_length=32768,
        concurrency_limit=default_requests(ENGINE.gpu),
        objectives=objectives,
    )


def rates(groups: Disaggregation = GROUPS, objectives: Objectives = TIGHT) -> GroupRates:
    return group_rates(
        ENGINE,
        REQUEST,
        groups,
        gpu_memory_utilization=0.9,
        max_model_length=32768,
        concurrency_limit=default_requests(ENGINE.gpu),
        objectives=objectives,
    )


def test_both_groups_serve_what_the_smaller_one_does() -> None:
    of_each = rates()
    for prefill, decode in ((1, 9), (2, 3), (9, 1)):
        groups = replace(GROUPS, prefill=prefill, decode=decode)
        together = apart(groups=groups).requests_per_second * groups.replicas
        smaller = min(prefill * of_each.prefill, decode * of_each.decode)
        assert together == pytest.approx(smaller)


def test_no_more_is_served_than_by_replicas_that_do_both_without_objectives() -> None:
    """VLLM's documentation: disaggregated prefill does not improve throughput."""
    plain = both(REQUEST, NO_OBJECTIVES)
    for prefill in range(1, 10):
        groups = replace(GROUPS, prefill=prefill, decode=10 - prefill)
        assert apart(objectives=NO_OBJECTIVES, groups=groups).requests_per_second < (
            plain.requests_per_second * 1.03
        )


def test_it_pays_where_prompts_delay_tokens_and_not_where_prompts_are_long() -> None:
    def best(request: RequestShape, objectives: Objectives) -> float:
        shares = [replace(GROUPS, prefill=some, decode=20 - some) for some in range(1, 20)]
        most = max(apart(request, objectives, each).requests_per_second for each in shares)
        return most / both(request, objectives).requests_per_second

    assert best(REQUEST, TIGHT) > 1.5
    # The wait for a prompt, behind others that are as long, leaves a prefill replica idle.
    assert best(RequestShape(input_tokens=8000, output_tokens=500), TIGHT) < 1
    assert best(REQUEST, LOOSE) < 1.05


def test_a_decode_replica_runs_as_many_requests_as_keep_the_objective() -> None:
    found = rates()
    capacity = apart(groups=replace(GROUPS, prefill=9, decode=1))
    assert capacity.latencies.inter_token_p95 <= TIGHT.inter_token_seconds
    longer = step_times(ENGINE, REQUEST, found.batch + 1).decode
    at_most = found.batch == min(found.held, default_requests(ENGINE.gpu))
    assert at_most or longer > TIGHT.inter_token_seconds


def test_first_tokens_wait_for_transfer_and_handover_and_keep_the_objective() -> None:
    transfer = GROUPS.transfer_seconds(ENGINE, REQUEST.input_tokens)
    cache = ENGINE.model.request_bytes(REQUEST.input_tokens, tensor_parallel=4)
    assert transfer == pytest.approx(cache * 8 / (400e9 * 0.8))
    alone = step_times(ENGINE, REQUEST, 1).first_token
    capacity = apart(groups=replace(GROUPS, prefill=1, decode=9))
    assert capacity.prefill_seconds > alone * 0.5 + transfer + HANDOVER_SECONDS
    assert capacity.latencies.first_token_p95 == pytest.approx(TIGHT.first_token_seconds)
    assert rates(objectives=replace(TIGHT, first_token_seconds=1.0)).prefill < rates().prefill


def test_a_slow_link_bounds_what_both_groups_serve() -> None:
    slow = replace(GROUPS, link_gigabits_per_second=1.0)
    assert rates(slow).missed == "first-token"
    found = rates(slow, NO_OBJECTIVES)
    per_second = 1 / slow.transfer_seconds(ENGINE, REQUEST.input_tokens)
    assert found.prefill == pytest.approx(per_second)
    assert found.decode == pytest.approx(per_second)


def test_an_objective_that_no_request_keeps_is_named() -> None:
    assert rates(objectives=replace(TIGHT, first_token_seconds=0.1)).missed == "first-token"
    assert rates(objectives=replace(TIGHT, inter_token_seconds=0.001)).missed == "inter-token"
    assert apart(objectives=replace(TIGHT, inter_token_seconds=0.001)).missed == "inter-token"
    assert rates().missed is None


def test_its_band_is_wider_than_that_of_replicas_that_do_both() -> None:
    found = apart()
    assert found.calibration is not None
    assert found.error_percent == pytest.approx(
        found.calibration.band_percent + DISAGGREGATION_ERROR_PERCENT
    )
    assert found.low_requests_per_second < found.requests_per_second * 0.8


def test_a_prompt_found_in_the_cache_costs_no_prefill_but_its_whole_transfer() -> None:
    half = replace(REQUEST, cached_input_tokens=500.0)
    assert prompt_seconds(ENGINE, half) < prompt_seconds(ENGINE, REQUEST) * 0.6
    assert math.isclose(apart(half).cached_input_share, 0.5)
    gained = apart(half).prefill_seconds - step_times(ENGINE, half, 1).first_token
    assert gained > GROUPS.transfer_seconds(ENGINE, 1000)
