"""Memory keeps its laws, and holds what is known to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gpus import Gpu, find_gpu
from breakeven.catalog.models import ModelFacts, find_model
from breakeven.cost.capacity.memory_fit import GIB, MemoryFit, smallest_fits
from tests.unit.cost.drawn_replicas import (
    altered,
    any_gpu,
    any_model,
    any_parallel,
    any_precision,
    fitted,
    lengths,
)


@given(
    model=any_model,
    gpu=any_gpu,
    precision=any_precision,
    parallel=any_parallel,
    longest=lengths,
    request_tokens=lengths,
)
def test_the_cache_never_holds_more_than_its_memory(
    *, model: ModelFacts, gpu: Gpu, precision: str, parallel: int, longest: int, request_tokens: int
) -> None:
    fit = fitted(
        model, gpu, precision=precision, parallel=parallel, longest=longest, request=request_tokens
    )
    budget = max(0.0, fit.key_value_gib) * GIB
    assert fit.concurrent_requests * model.request_bytes(request_tokens) <= budget * (1 + 1e-9)
    held = fit.key_value_tokens / longest * model.request_bytes(longest)
    assert held <= budget * (1 + 1e-9)
    usable = parallel * gpu.memory_gib * 0.9
    assert fit.weights_gib + fit.reserved_gib + fit.key_value_gib == pytest.approx(usable)
    assert fit.fits == (fit.key_value_tokens >= longest)


@given(any_model, any_gpu, any_precision, st.floats(0.5, 0.95), st.floats(0, 100))
def test_more_memory_never_holds_less(
    model: ModelFacts, gpu: Gpu, precision: str, utilization: float, more: float
) -> None:
    larger = altered(gpu, memory_gib=gpu.memory_gib + more)
    less = fitted(model, gpu, precision=precision, utilization=utilization)
    same = fitted(model, larger, precision=precision, utilization=utilization)
    assert less.key_value_tokens <= same.key_value_tokens
    assert less.concurrent_requests <= same.concurrent_requests
    assert less.fits <= same.fits


@given(any_model, any_gpu, lengths, lengths)
def test_longer_requests_never_fit_more_of_them(
    model: ModelFacts, gpu: Gpu, request: int, more: int
) -> None:
    short = fitted(model, gpu, request=request).concurrent_requests
    assert short >= fitted(model, gpu, request=request + more).concurrent_requests


def test_more_gpus_than_key_value_heads_hold_copies_of_the_cache() -> None:
    # Two key-value heads: over eight GPUs each is held four times.
    model, gpu = find_model("qwen2.5-1.5b-instruct"), find_gpu("l4")
    over_two, over_eight = fitted(model, gpu, parallel=2), fitted(model, gpu, parallel=8)
    tokens_per_gib = over_two.key_value_tokens / over_two.key_value_gib
    assert over_eight.key_value_tokens / over_eight.key_value_gib == pytest.approx(
        tokens_per_gib / 4, rel=1e-4
    )


@pytest.mark.parametrize(
    ("name", "precision", "gpu", "parallel", "longest", "fits"),
    [
        ("llama-3.1-8b-instruct", "bf16", "l4", 1, 8_192, True),
        ("llama-3.1-8b-instruct", "bf16", "l4", 1, 131_072, False),
        ("llama-2-13b-chat", "bf16", "a10g", 1, 4_096, False),
        ("llama-2-13b-chat", "fp8", "a10g", 1, 4_096, True),
        ("llama-3.3-70b-instruct", "bf16", "h100", 1, 4_096, False),
        ("llama-3.3-70b-instruct", "bf16", "h100", 2, 4_096, True),
        ("llama-3.3-70b-instruct", "fp8", "h100", 1, 8_192, False),
        ("gpt-oss-120b", "int4", "h100", 1, 131_072, True),  # as its maker says
        ("gpt-oss-20b", "int4", "l4", 1, 8_192, True),
    ],
)
def test_what_is_known_to_fit_fits(
    name: str, precision: str, gpu: str, parallel: int, longest: int, *, fits: bool
) -> None:
    fit = fitted(
        find_model(name), find_gpu(gpu), precision=precision, parallel=parallel, longest=longest
    )
    assert fit.fits is fits


@given(any_model, st.sampled_from([2048, 4096, 8192]))
def test_every_suggestion_fits_and_none_is_beaten_in_all_ways(
    model: ModelFacts, longest: int
) -> None:
    suggestions = smallest_fits(model, max_model_length=longest)
    assert 1 <= len(suggestions) <= 4
    memories, options = [], []
    if "nodes of" in suggestions[0]:
        return  # the next test
    for text in suggestions:
        precision, _, parallel, _, name = text.split()
        gpu = find_gpu(name)
        assert model.splits_over(int(parallel))
        assert fitted(model, gpu, precision=precision, parallel=int(parallel), longest=longest).fits
        memories.append(int(parallel) * gpu.memory_gib)
        options.append((model.precisions.index(precision), int(parallel)))
    assert memories == sorted(memories)
    for number, (rank, parallel_count) in enumerate(options):
        for better, fewer in options[:number]:
            assert rank < better or parallel_count < fewer


def test_several_nodes_are_suggested_where_one_holds_no_replica() -> None:
    model = find_model("kimi-k3")
    [suggestion] = smallest_fits(model, max_model_length=8192)
    assert suggestion == "mxfp4 on 2 nodes of 8 x h200"
    for gpu in ("h200", "b200"):
        assert not fitted(model, find_gpu(gpu), precision="mxfp4", parallel=8, longest=8192).fits


def test_no_gpu_without_kernels_for_the_model_is_suggested() -> None:
    sparse = smallest_fits(find_model("deepseek-v3.2"), max_model_length=8192)
    dense = smallest_fits(find_model("deepseek-v3"), max_model_length=8192)
    gpus = {each.rpartition(" ")[2] for each in sparse}
    assert gpus
    assert all(find_gpu(gpu).has_sparse_attention for gpu in gpus)
    assert dense


def test_suggestions_read_as_a_person_would_say_them() -> None:
    assert smallest_fits(find_model("llama-2-13b-chat"), max_model_length=4096) == (
        "fp8 on 1 x l4",
        "bf16 on 2 x l4",
        "bf16 on 1 x l40s",
    )


def test_memory_of_all_nodes_holds_the_model() -> None:
    model, gpu = find_model("llama-3.1-405b-instruct"), find_gpu("h100")

    def fit(nodes: int) -> MemoryFit:
        return fitted(model, gpu, parallel=8, longest=16384, nodes=nodes)

    assert not fit(1).fits
    assert fit(2).fits
    assert fit(2).weights_gib == fit(1).weights_gib
    usable = 2 * 8 * gpu.memory_gib * 0.9
    assert fit(2).weights_gib + fit(2).reserved_gib + fit(2).key_value_gib == pytest.approx(usable)


def test_adapters_take_their_memory_from_the_cache() -> None:
    model, gpu = find_model("llama-3.1-8b-instruct"), find_gpu("l40s")
    without, with_one = fitted(model, gpu), fitted(model, gpu, adapter_bytes=GIB)
    assert with_one.key_value_gib == pytest.approx(without.key_value_gib - 1)
    assert with_one.concurrent_requests < without.concurrent_requests
