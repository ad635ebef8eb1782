"""Facts about models agree with their published figures."""

import json
from datetime import UTC, datetime

import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.apis.prices import api_price
from breakeven.catalog.models import (
    PRECISION_BYTES,
    ModelFacts,
    UnknownModelError,
    find_model,
    load_models,
)
from breakeven.settings.files import ROOT
from tests.each import each

DATA = ROOT / "components/breakeven/catalog/data/models.json"

MODELS = list(load_models().values())
HOSTED = [(model.name, reference) for model in MODELS for reference in model.hosted]
any_model = st.sampled_from(MODELS)


@each("model", MODELS)
def test_every_entry_is_complete(model: ModelFacts) -> None:
    assert model.name == model.name.lower()
    assert model.repository.count("/") == 1
    assert model.source
    assert 0 < model.active_parameters <= model.parameters
    assert 0 < model.full_precision_parameters < model.parameters
    assert model.attention_heads % model.key_value_heads == 0
    assert model.groups
    assert not model.is_estimated
    assert model.splits_over(1)


def test_no_model_is_there_twice() -> None:
    entries = json.loads(DATA.read_text(encoding="utf-8"))["models"]
    assert len({entry["name"] for entry in entries}) == len(entries) == len(MODELS)
    assert len({model.repository for model in MODELS}) == len(MODELS)


@pytest.mark.parametrize(
    ("name", "published_billions"),
    [
        # Totals that the repositories' pages show.
        ("qwen2.5-0.5b-instruct", 0.494),
        ("qwen2.5-7b-instruct", 7.62),
        ("qwen2.5-72b-instruct", 72.7),
        ("qwen3-30b-a3b", 30.5),
        ("llama-2-13b-chat", 13.0),
        ("llama-3.1-8b-instruct", 8.03),
        ("llama-3.3-70b-instruct", 70.6),
        ("mistral-nemo-12b-instruct", 12.2),
        ("mixtral-8x7b", 46.7),
        ("gemma-2-27b", 27.2),
        ("gemma-3-27b", 27.4),
        ("phi-4", 14.7),
        ("gpt-oss-20b", 20.91),
        ("gpt-oss-120b", 116.83),
    ],
)
def test_parameters_are_the_published_totals(name: str, published_billions: float) -> None:
    assert find_model(name).parameters / 1e9 == pytest.approx(published_billions, rel=5e-3)


@pytest.mark.parametrize(
    ("name", "active_billions"),
    [("gpt-oss-20b", 3.61), ("gpt-oss-120b", 5.13), ("mixtral-8x7b", 12.9), ("qwen3-30b-a3b", 3.3)],
)
def test_active_parameters_are_the_published_ones(name: str, active_billions: float) -> None:
    model = find_model(name)
    assert model.active_parameters / 1e9 == pytest.approx(active_billions, rel=0.02)
    assert model.is_mixture_of_experts


def test_a_dense_model_is_no_mixture_even_with_a_vision_tower() -> None:
    assert not find_model("llama-3.1-8b-instruct").is_mixture_of_experts
    assert not find_model("gemma-3-27b").is_mixture_of_experts


@pytest.mark.parametrize(
    ("name", "precision", "gigabytes", "tolerance"),
    [
        # Sizes of published checkpoints, in 10^9 bytes.
        ("llama-3.1-8b-instruct", "bf16", 16.06, 0.001),
        ("llama-3.1-8b-instruct", "fp8", 9.08, 0.002),
        ("llama-3.1-8b-instruct", "int4", 5.73, 0.02),  # AWQ
        ("qwen2.5-7b-instruct", "int4", 5.57, 0.02),  # AWQ
        ("gpt-oss-20b", "int4", 13.75, 0.002),  # MXFP4: 12.8 GiB
        ("gpt-oss-120b", "int4", 65.25, 0.002),  # MXFP4: 60.8 GiB
    ],
)
def test_weights_take_what_checkpoints_take(
    name: str, precision: str, gigabytes: float, tolerance: float
) -> None:
    weights = find_model(name).weight_bytes(precision) / 1e9
    assert weights == pytest.approx(gigabytes, rel=tolerance)


@given(any_model)
def test_fewer_bits_never_take_more_memory(model: ModelFacts) -> None:
    sizes = [model.weight_bytes(precision) for precision in model.precisions]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < sizes[-1] <= sizes[0] <= 2 * model.parameters


def test_an_unknown_precision_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=", ".join(PRECISION_BYTES)):
        find_model("phi-4").weight_bytes("fp4")


@pytest.mark.parametrize(
    ("name", "kib"),
    [("llama-3.1-8b-instruct", 128), ("llama-2-13b-chat", 800), ("llama-3.3-70b-instruct", 320)],
)
def test_the_cache_of_a_token_is_two_vectors_a_layer(name: str, kib: int) -> None:
    model = find_model(name)
    assert model.cache_bytes_per_token() == kib * 1024
    assert model.cache_bytes_per_token(1) == kib * 512


@given(any_model, st.integers(1, 131_072), st.integers(0, 10_000))
def test_a_longer_request_never_needs_less_cache(model: ModelFacts, tokens: int, more: int) -> None:
    held = model.request_bytes(tokens)
    assert model.state_bytes <= held <= model.request_bytes(tokens + more)
    assert held - model.state_bytes <= model.request_bytes(tokens, tensor_parallel=8)
    if not any(group.window for group in model.groups):
        cached = tokens * model.cache_bytes_per_token(model.cache_element_bytes)
        assert held == pytest.approx(cached + model.state_bytes)


@given(any_model, st.integers(1, 131_072))
def test_a_token_reads_no_more_than_a_request_keeps(model: ModelFacts, tokens: int) -> None:
    assert model.bytes_read(tokens) <= model.request_bytes(tokens) + model.state_bytes


def test_a_latent_cache_is_held_whole_by_each_gpu() -> None:
    latent, divided = find_model("deepseek-v3"), find_model("llama-3.3-70b-instruct")
    assert latent.request_bytes(1000, tensor_parallel=8) == 8 * latent.request_bytes(1000)
    assert divided.request_bytes(1000, tensor_parallel=8) == divided.request_bytes(1000)


def test_sparse_attention_bounds_what_a_token_reads() -> None:
    sparse, dense = find_model("deepseek-v3.2"), find_model("deepseek-v3")
    of_index = 61 * 128 * 2
    assert sparse.request_bytes(100_000) > dense.request_bytes(100_000)
    assert sparse.bytes_read(100_000) == 2048 * dense.cache_bytes_per_token() + 100_000 * of_index


def test_a_checkpoint_may_ask_for_a_cache_in_fp8() -> None:
    quantized, plain = find_model("qwen3.5-397b-a17b-nvfp4"), find_model("qwen3.5-397b-a17b")
    growth = quantized.request_bytes(2000) - quantized.request_bytes(1000)
    assert 2 * growth == plain.request_bytes(2000) - plain.request_bytes(1000)


def test_a_window_ends_what_layers_keep() -> None:
    model = find_model("gemma-4-26b-a4b")
    growth = model.request_bytes(100_001) - model.request_bytes(100_000)
    assert growth == model.cache_bytes_per_token() == 20_480


@pytest.mark.parametrize(
    ("name", "parallel", "splits"),
    [
        ("llama-3.3-70b-instruct", 8, True),
        ("qwen2.5-7b-instruct", 4, True),
        ("qwen2.5-7b-instruct", 8, False),  # 28 query heads
        ("qwen2.5-1.5b-instruct", 4, True),  # two copies of each of 2 key-value heads
        ("phi-4", 4, False),  # 10 key-value heads
        ("phi-4", 2, True),
    ],
)
def test_heads_split_as_vllm_splits_them(name: str, parallel: int, *, splits: bool) -> None:
    assert find_model(name).splits_over(parallel) is splits


@each("name, reference", HOSTED)
def test_every_hosted_offer_has_a_price_and_is_still_offered(name: str, reference: str) -> None:
    price = api_price(
        reference,
        input_tokens=1000,
        output_tokens=200 if load_models()[name].generates else 0,
        cached_input_tokens=0,
        on=datetime(2026, 11, 24, tzinfo=UTC),
    )
    assert price.usd_per_request > 0
    assert price.decides
    assert "row" not in price.source, f"{name}: found by a part of the name"


@each("model", MODELS)
def test_hosted_offers_are_few_distinct_paid_and_direct(model: ModelFacts) -> None:
    assert len(set(model.hosted)) == len(model.hosted) <= 6
    known = {provider.id for provider in providers}
    for reference in model.hosted:
        provider = reference.partition("/")[0]
        assert provider in known
        assert not provider.startswith("huggingface")
        assert ":free" not in reference


def test_a_model_is_found_by_name_or_repository_in_any_case() -> None:
    model = find_model("llama-3.1-8b-instruct")
    assert find_model("Llama-3.1-8B-Instruct") is model
    assert find_model("meta-llama/Llama-3.1-8B-Instruct") is model


def test_an_unknown_model_says_what_is_near() -> None:
    with pytest.raises(UnknownModelError, match=r"llama-3\.1-8b-instruct") as caught:
        find_model("meta-llama/llama-3.1-8b")
    assert caught.value.near[0] == "llama-3.1-8b-instruct"
    assert isinstance(caught.value, LookupError)


def test_an_adapter_has_two_matrices_for_each_linear_layer() -> None:
    # 32 layers of 4,096 with 1,024 of keys and 14,336 in between, at rank 16: 41.9 million numbers.
    ends = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336)
    published = 16 * 32 * ends * 2
    computed = find_model("llama-3.1-8b-instruct").adapter_bytes(16)
    assert computed == pytest.approx(published, rel=0.001)
    assert find_model("llama-3.1-8b-instruct").adapter_bytes(32) == pytest.approx(2 * computed)
