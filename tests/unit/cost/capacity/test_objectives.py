"""Latency objectives bound the requests in flight, and nothing else bounds them tighter."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gpus import Gpu, find_gpu
from breakeven.catalog.models import ModelFacts, find_model
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.capacity.engine_defaults import default_batched_tokens
from breakeven.cost.capacity.latency import latencies, prompts_in_step
from breakeven.cost.capacity.objectives import Objectives, largest_kept
from breakeven.cost.capacity.roofline import Engine, RequestShape
from tests.unit.cost.drawn_replicas import any_gpu, any_model


def within(
    objectives: Objectives, *, limit: int = 256, measured: float | None = None, gpu: str = "l40s"
) -> ReplicaCapacity:
    """Llama 3.1 8B for requests of 1,024 and 256 tokens, 20% of the input cached."""
    return replica_capacity(
        find_model("llama-3.1-8b-instruct"),
        precision="bf16",
        gpu=find_gpu(gpu),
        tensor_parallel=1,
        gpu_memory_utilization=0.9,
        max_model_length=8192,
        input_tokens=1024,
        output_tokens=256,
        cached_input_share=0.2,
        concurrency_limit=limit,
        measured_output_tokens_per_second=measured,
        objectives=objectives,
    )


@given(inter_token=st.floats(0.001, 1), first_token=st.floats(0.01, 5))
def test_as_many_requests_run_as_keep_both_objectives_and_no_more(
    inter_token: float, first_token: float
) -> None:
    objectives = Objectives(inter_token_seconds=inter_token, first_token_seconds=first_token)
    found = within(objectives)
    if found.missed is not None:
        assert found.concurrent_requests == 1
        assert found.latencies.of(found.missed) > objectives.limit(found.missed)
        return
    assert found.latencies.inter_token_p95 <= inter_token
    assert found.latencies.first_token_p95 <= first_token
    if found.bound_by is not None:
        one_more = within(Objectives(), limit=found.concurrent_requests + 1)
        assert objectives.missed(one_more.latencies) is not None


@given(st.floats(0.001, 1), st.floats(1, 100))
def test_a_tighter_objective_never_raises_capacity(limit: float, looser: float) -> None:
    tight = within(Objectives(inter_token_seconds=limit))
    loose = within(Objectives(inter_token_seconds=limit * looser))
    assert tight.concurrent_requests <= loose.concurrent_requests
    assert tight.requests_per_second <= loose.requests_per_second * (1 + 1e-9)


def test_an_objective_that_a_full_replica_keeps_changes_nothing() -> None:
    assert within(Objectives(inter_token_seconds=10, first_token_seconds=10)) == within(
        Objectives()
    )


def test_an_own_measurement_counts_less_with_fewer_requests_in_flight() -> None:
    full = within(Objectives(), measured=2000)
    bound = within(Objectives(inter_token_seconds=0.08), measured=2000)
    assert full.output_tokens_per_second == 2000
    assert bound.concurrent_requests < full.concurrent_requests
    assert bound.output_tokens_per_second < 2000
    assert bound.error_percent > full.error_percent


@given(any_model, any_gpu, st.integers(1, 512), st.integers(1, 512), st.integers(1, 20_000))
def test_more_requests_in_flight_are_never_faster(
    model: ModelFacts, gpu: Gpu, few: int, more: int, prompt: int
) -> None:
    engine = Engine(model=model, precision="bf16", gpu=gpu, tensor_parallel=1)
    request = RequestShape(input_tokens=prompt, output_tokens=256)
    one, other = latencies(engine, request, few), latencies(engine, request, few + more)
    assert one.inter_token_p95 <= other.inter_token_p95 * (1 + 1e-3)
    assert one.first_token_p95 <= other.first_token_p95 * (1 + 1e-3)


def test_a_step_carries_no_more_of_prompts_than_its_budget() -> None:
    engine = Engine(
        model=find_model("llama-3.1-8b-instruct"),
        precision="bf16",
        gpu=find_gpu("l40s"),
        tensor_parallel=1,
    )
    request = RequestShape(input_tokens=16_384, output_tokens=64)
    crowded = latencies(engine, request, 64)
    alone = latencies(engine, request, 1)
    budget = default_batched_tokens(engine.gpu) / request.input_tokens
    assert crowded.inter_token_p95 < alone.inter_token_p95 * 5 + budget * alone.first_token_p95


@pytest.mark.parametrize(("gpu", "budget"), [("l40s", 2048), ("a100-80", 2048), ("h100", 8192)])
def test_the_budget_of_a_step_is_vllm_s(gpu: str, budget: int) -> None:
    assert default_batched_tokens(find_gpu(gpu)) == budget


@pytest.mark.parametrize("mean", [0.02, 0.06, 0.19, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("own", [False, True])
def test_the_work_in_a_step_is_that_of_random_prompts(mean: float, *, own: bool) -> None:
    chance = np.random.default_rng(7)
    numbers = chance.poisson(mean, 6000) + own
    drawn = np.where(numbers > 0, chance.gamma(np.maximum(numbers, 1)), 0.0)
    found = prompts_in_step(mean, own=own)
    exceeded = float(np.mean(drawn > found))
    assert exceeded == pytest.approx(0.05, abs=0.012) or (found == 0 and exceeded < 0.05)


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_the_largest_that_keeps_is_found(most: int, last: int) -> None:
    assert largest_kept(most, lambda batch: batch <= last) == min(most, last)


def test_no_objective_is_no_limit() -> None:
    assert list(Objectives().stated()) == []
    assert Objectives().limit("first-token") == math.inf
