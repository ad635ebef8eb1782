"""A smaller cache, speculation and attention by request change memory and speed as they do."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.cost.capacity.techniques import (
    FP8_CACHE_ERROR_PERCENT,
    PLAIN,
    Speculation,
    Techniques,
    expected_tokens,
)


class Draft(TypedDict, total=False):
    """Figures of a draft; see `Speculation`."""

    draft_parameters: int
    draft_layers: int
    draft_bytes: int
    draft_cache_numbers: int


FP8_CACHE = Techniques(cache_bytes=1)
CHAT = RequestShape(input_tokens=1000, output_tokens=300)


def engine(
    techniques: Techniques, model: str = "llama-3.1-8b-instruct", gpu: str = "h100", gpus: int = 1
) -> Engine:
    return Engine(
        model=find_model(model),
        precision=find_model(model).checkpoint.precision,
        gpu=find_gpu(gpu),
        tensor_parallel=gpus,
        techniques=techniques,
    )


def capacity(of: Engine, limit: int = 256) -> ReplicaCapacity:
    return replica_capacity(
        of.model,
        precision=of.precision,
        gpu=of.gpu,
        tensor_parallel=of.tensor_parallel,
        gpu_memory_utilization=0.9,
        max_model_length=8192,
        input_tokens=CHAT.input_tokens,
        output_tokens=CHAT.output_tokens,
        cached_input_share=0.0,
        concurrency_limit=limit,
        measured_output_tokens_per_second=None,
        techniques=of.techniques,
    )


def held(of: Engine) -> int:
    fit = memory_fit(of, gpu_memory_utilization=0.9, max_model_length=8192, request_tokens=1300)
    return fit.concurrent_requests


def speculating(acceptance: float, draft: Draft | None = None) -> Techniques:
    found = Speculation(
        tokens=3,
        acceptance=acceptance,
        low_acceptance=max(0.0, acceptance - 0.1),
        high_acceptance=min(1.0, acceptance + 0.1),
        **(draft or {}),
    )
    return Techniques(speculation=found)


def decode(of: Engine, requests: int) -> float:
    return step_times(of, CHAT, requests).decode


def test_an_fp8_cache_holds_twice_as_many_requests_and_has_a_wider_band() -> None:
    plain, smaller = engine(PLAIN), engine(FP8_CACHE)
    assert held(smaller) in range(2 * held(plain), 2 * held(plain) + 2)
    one, other = capacity(plain), capacity(smaller)
    assert other.requests_per_second > one.requests_per_second
    assert other.error_percent == one.error_percent + FP8_CACHE_ERROR_PERCENT


def test_a_cache_that_is_fp8_already_is_not_counted_twice() -> None:
    model = "minimax-m2.7-nvfp4"
    plain, stated = (capacity(engine(each, model, "b200", 2)) for each in (PLAIN, FP8_CACHE))
    if find_model(model).cache_element_bytes == 1:
        assert stated == plain


@given(st.integers(1, 16), st.floats(0, 1))
def test_a_step_gives_one_token_and_those_that_are_accepted(tokens: int, acceptance: float) -> None:
    found = expected_tokens(tokens, acceptance)
    assert 1 <= found <= tokens + 1
    if acceptance < 0.99:
        assert found == pytest.approx((1 - acceptance ** (tokens + 1)) / (1 - acceptance))


def test_proposals_help_most_with_few_requests_and_cost_where_none_is_accepted() -> None:
    plain = engine(PLAIN)
    gains = [
        decode(plain, requests) / decode(engine(speculating(0.6)), requests)
        for requests in (1, 32, 128, 512)
    ]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] <= expected_tokens(3, 0.6)
    # SpecDecode-Bench (arXiv 2601.11580): EAGLE is up to 1.96 times as fast at one request (Llama
    # 3 70B on four H100), and 1.2 times at 128 (Llama 3.1 8B).
    head: Draft = {"draft_parameters": 10**9, "draft_layers": 1, "draft_bytes": 2 * 10**9}
    eagle, large = speculating(0.6, head), ("llama-3.1-70b-instruct", "h100", 4)
    one, many = (
        decode(engine(PLAIN, *large), requests) / decode(engine(eagle, *large), requests)
        for requests in (1, 256)
    )
    assert one == pytest.approx(1.96, rel=0.1)
    assert many < 1
    assert decode(engine(speculating(0.0)), 128) > decode(plain, 128)


def test_a_draft_takes_memory_and_time() -> None:
    free = engine(speculating(0.6))
    draft: Draft = {"draft_parameters": 10**9, "draft_layers": 16, "draft_bytes": 2 * 10**9}
    drafted = engine(speculating(0.6, {**draft, "draft_cache_numbers": 2048}))
    assert held(drafted) < held(free)
    assert decode(drafted, 8) > decode(free, 8)
    assert step_times(drafted, CHAT, 8).prefill > step_times(free, CHAT, 8).prefill


def test_the_band_spans_the_range_of_acceptance() -> None:
    narrow = speculating(0.6)
    assert narrow.speculation is not None
    wide = replace(
        narrow, speculation=replace(narrow.speculation, low_acceptance=0.1, high_acceptance=0.9)
    )
    bands = [capacity(engine(each)).error_percent for each in (PLAIN, narrow, wide)]
    assert bands == sorted(bands)
    assert len(set(bands)) == 3


def test_attention_by_request_holds_a_latent_cache_once_and_is_not_measured() -> None:
    model, spread = "deepseek-r1", Techniques(data_attention=True)
    plain, other = engine(PLAIN, model, "h200", 8), engine(spread, model, "h200", 8)
    assert held(other) > 4 * held(plain)
    assert other.cache_parallel == 1
    assert not capacity(plain).is_unknown
    assert capacity(other).is_unknown


def test_other_gpus_take_over_what_they_can() -> None:
    stated = Techniques(cache_bytes=1, data_attention=True)
    assert stated.on(find_gpu("a100-80"), 8) == Techniques(data_attention=True)
    assert stated.on(find_gpu("h100"), 1) == FP8_CACHE
