"""Facts counted from a config.json are those of the table; odd files are refused by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.configs.fields import LARGEST_BYTES, ModelConfigError
from breakeven.catalog.configs.reader import facts_from_config
from breakeven.catalog.models import ModelFacts, load_models
from tests.each import each
from tests.unit.catalog.model_configs import CONFIGS

MODELS = load_models()
LLAMA = CONFIGS["llama-3.1-8b-instruct"]
QWEN_3 = CONFIGS["qwen3-8b"]
MIXTRAL = CONFIGS["mixtral-8x7b"]


def facts(folder: Path, config: object, name: str = "owner/Name") -> ModelFacts:
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return facts_from_config(path, name=name)


def refusal(folder: Path, config: object) -> str:
    with pytest.raises(ModelConfigError) as caught:
        facts(folder, config)
    assert str(folder / "config.json") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "published"),
    [
        # Totals of the repositories' pages.
        # Yi 9B, then DeepSeek Coder 6.7B.
        ({"vocab_size": 64_000, "num_hidden_layers": 48, "num_key_value_heads": 4}, 8.83e9),
        ({"vocab_size": 32_256, "num_hidden_layers": 32, "num_key_value_heads": None}, 6.74e9),
    ],
)
def test_models_outside_the_table_come_out_as_published(
    more: dict[str, Any], published: float, tmp_path: Path
) -> None:
    config = {**LLAMA, "intermediate_size": 11_008, **more}
    assert facts(tmp_path, config).parameters == pytest.approx(published, rel=0.01)


def test_gemma_3_without_vision_is_the_same_text_model(tmp_path: Path) -> None:
    whole = CONFIGS["gemma-3-12b"]
    text = {**whole["text_config"], "architectures": ["Gemma3ForCausalLM"]}
    counted = facts(tmp_path, text)
    assert counted.parameters == counted.active_parameters
    assert counted.parameters == MODELS["gemma-3-12b"].multiplied_parameters


def test_the_name_is_the_last_part_of_the_repository(tmp_path: Path) -> None:
    counted = facts(tmp_path, LLAMA, "Owner/Some-Model")
    assert (counted.name, counted.repository) == ("some-model", "Owner/Some-Model")


def test_tied_embeddings_are_counted_once(tmp_path: Path) -> None:
    untied = facts(tmp_path, LLAMA)
    tied = facts(tmp_path, {**LLAMA, "tie_word_embeddings": True})
    embedding = LLAMA["vocab_size"] * LLAMA["hidden_size"]
    assert untied.parameters - tied.parameters == embedding
    assert untied.full_precision_parameters == 2 * tied.full_precision_parameters == 2 * embedding


def test_a_head_is_the_width_divided_by_the_heads_unless_the_architecture_differs(
    tmp_path: Path,
) -> None:
    assert facts(tmp_path, {**LLAMA, "num_attention_heads": 64}).groups[0].key_dim == 64
    assert facts(tmp_path, {**LLAMA, "head_dim": 96}).groups[0].key_dim == 96
    assert facts(tmp_path, {**QWEN_3, "num_attention_heads": 64}).groups[0].key_dim == 128


def test_without_key_value_heads_there_are_as_many_as_query_heads(tmp_path: Path) -> None:
    config = {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"}
    assert facts(tmp_path, config).key_value_heads == LLAMA["num_attention_heads"]


def test_biases_are_counted_where_the_config_has_them(tmp_path: Path) -> None:
    plain = facts(tmp_path, LLAMA).parameters
    width, inner, layers = 4096, LLAMA["intermediate_size"], LLAMA["num_hidden_layers"]
    attention = facts(tmp_path, {**LLAMA, "attention_bias": True}).parameters - plain
    assert attention == layers * (width + 2 * 8 * 128 + width)
    feed_forward = facts(tmp_path, {**LLAMA, "mlp_bias": True}).parameters - plain
    assert feed_forward == layers * (2 * inner + width)


@pytest.mark.parametrize(
    ("name", "more", "window", "layers"),
    [
        ("mistral-7b-instruct-v0.3", {"sliding_window": 4096}, 4096, 32),
        ("qwen3-8b", {"sliding_window": 4096, "max_window_layers": 28}, 0, 0),
        (
            "qwen3-8b",
            {"sliding_window": 4096, "max_window_layers": 28, "use_sliding_window": True},
            4096,
            8,
        ),
        ("llama-3.1-8b-instruct", {"sliding_window": 4096}, 0, 0),
        (
            "gemma-2-9b",
            {"layer_types": ["sliding_attention"] * 30 + ["full_attention"] * 12},
            4096,
            30,
        ),
        ("gpt-oss-20b", {"layer_types": ["full_attention"] * 24}, 0, 0),
    ],
)
def test_layers_with_a_sliding_window(
    name: str, more: dict[str, Any], window: int, layers: int, tmp_path: Path
) -> None:
    counted = facts(tmp_path, {**CONFIGS[name], **more})
    sliding = [group for group in counted.groups if group.kind == "sliding"]
    assert [(group.window, group.layers) for group in sliding] == [(window, layers)][: len(sliding)]
    assert bool(sliding) == bool(layers)


def test_layers_without_experts_are_dense(tmp_path: Path) -> None:
    config = {**CONFIGS["qwen3-30b-a3b"], "mlp_only_layers": []}
    layer = 3 * config["hidden_size"] * config["intermediate_size"]
    experts = 3 * config["hidden_size"] * config["moe_intermediate_size"]
    router = config["hidden_size"] * 128
    mixed = facts(tmp_path, config)
    one_dense = facts(tmp_path, {**config, "mlp_only_layers": [3]})
    assert mixed.parameters - one_dense.parameters == 128 * experts + router - layer
    every_second = facts(tmp_path, {**config, "decoder_sparse_step": 2})
    assert mixed.parameters - every_second.parameters == 24 * (128 * experts + router - layer)


@given(chosen=st.integers(1, 64), more=st.integers(0, 64))
def test_a_token_passes_no_more_experts_than_there_are(
    tmp_path_factory: pytest.TempPathFactory, chosen: int, more: int
) -> None:
    config = {**MIXTRAL, "num_local_experts": chosen + more, "num_experts_per_tok": chosen}
    counted = facts(tmp_path_factory.getbasetemp(), config)
    expert = 3 * MIXTRAL["hidden_size"] * MIXTRAL["intermediate_size"]
    unused = counted.parameters - counted.active_parameters
    assert unused == counted.layers * more * expert


NEEDED = [
    (name, field)
    for name in ("llama-3.1-8b-instruct", "qwen3-30b-a3b", "mixtral-8x7b", "gpt-oss-20b")
    for field in CONFIGS[name]
    if field
    in {
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
        "max_position_embeddings",
        "num_experts",
        "num_local_experts",
        "num_experts_per_tok",
        "moe_intermediate_size",
    }
    # Every layer of Qwen3 30B-A3B has experts: nothing is as wide as intermediate_size says.
    and (name, field) != ("qwen3-30b-a3b", "intermediate_size")
]


ODD: list[object] = [None, 0, -1, 1.5, "4096", True, [], 10**30]


@each("name, field, odd", [(*needed, odd) for needed in NEEDED for odd in ODD])
def test_a_missing_or_odd_dimension_is_named(
    name: str, field: str, odd: object, tmp_path: Path
) -> None:
    message = refusal(tmp_path, {**CONFIGS[name], field: odd})
    found = "is missing" if odd is None else f"is {json.dumps(odd)}"
    assert field in message
    assert f" {found}. Allowed: a whole number from 1 to" in message


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("phi-4", {"tie_word_embeddings": "no"}, 'tie_word_embeddings is "no". Allowed: true or'),
        ("phi-4", {"head_dim": 0}, "head_dim is 0. Allowed: a whole number from 1"),
        ("phi-4", {"num_attention_heads": 30, "head_dim": None}, "head_dim is missing. Allowed"),
        ("phi-4", {"num_key_value_heads": 7}, "a divisor of num_attention_heads, 40"),
        ("mixtral-8x7b", {"num_experts_per_tok": 9}, "at most num_local_experts, 8"),
        ("gemma-2-9b", {"layer_types": "all"}, 'layer_types is "all". Allowed: a list'),
        ("gemma-2-9b", {"layer_types": ["full_attention"]}, "for each of 42 layers"),
        ("gemma-2-9b", {"layer_types": ["linear_attention"] * 42}, "linear_num_key_heads is"),
        ("phi-4", {"layer_types": ["sliding_attention"] * 40}, "sliding_window is missing"),
        ("qwen3-8b", {"use_sliding_window": True, "sliding_window": 9}, "max_window_layers is"),
        ("gemma-3-12b", {"text_config": None}, "num_hidden_layers or"),
        ("gemma-3-12b", {"text_config": {}}, "text_config.num_hidden_layers or"),
        ("gemma-3-12b", {"vision_config": {"depth": 2}}, "vision_config.hidden_size or"),
    ],
)
def test_what_contradicts_itself_is_named(
    name: str, more: dict[str, Any], message: str, tmp_path: Path
) -> None:
    assert message in refusal(tmp_path, {**CONFIGS[name], **more})


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = sorted(
    {field for config in CONFIGS.values() for field in config}
    | {"layer_types", "use_sliding_window", "max_window_layers", "attention_bias"}
)


@given(
    name=st.sampled_from(sorted(CONFIGS)),
    changes=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, min_size=1, max_size=3),
)
def test_whatever_a_field_holds_there_are_facts_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, name: str, changes: dict[str, Any]
) -> None:
    try:
        counted = facts(tmp_path_factory.getbasetemp(), {**CONFIGS[name], **changes})
    except ModelConfigError:
        return
    assert 0 < counted.active_parameters <= counted.parameters
    assert 0 < counted.full_precision_parameters <= counted.parameters
    # An encoder keeps nothing of a request.
    assert counted.is_encoder or counted.request_bytes(1000) > 0


@pytest.mark.parametrize("odd", [None, [], [7], "LlamaForCausalLM"])
def test_without_a_class_the_field_is_named(odd: object, tmp_path: Path) -> None:
    message = refusal(tmp_path, {**LLAMA, "architectures": odd})
    assert "architectures" in message


def test_an_unknown_architecture_is_counted_and_said(tmp_path: Path) -> None:
    counted = facts(tmp_path, {**LLAMA, "architectures": ["NovelForCausalLM"]})
    assert counted.is_estimated
    assert "unknown" in counted.source
    assert counted.parameters == MODELS["llama-3.1-8b-instruct"].parameters
    assert not facts(tmp_path, LLAMA).is_estimated


@pytest.mark.parametrize(
    ("metadata", "parameters"),
    [({"total_size": 18_000_000_000}, 9e9), ({"total_parameters": 9_000_000_001}, 9_000_000_001)],
)
def test_of_an_unknown_architecture_the_index_of_the_weights_counts(
    metadata: dict[str, int], parameters: float, tmp_path: Path
) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": metadata, "weight_map": {}}), encoding="utf-8")
    counted = facts(tmp_path, {**LLAMA, "architectures": ["NovelForCausalLM"]})
    assert counted.parameters == parameters
    assert "index of its weights" in counted.source
    # What the class is known to have is counted exactly, whatever bytes the files take.
    assert facts(tmp_path, LLAMA).parameters == MODELS["llama-3.1-8b-instruct"].parameters


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"peft_type": "LORA", "base_model_name_or_path": "a/base"}, "a LoRA adapter of a/base"),
        ({"dim": 5120, "n_layers": 40}, "params.json"),
        ({"weight_map": {}, "metadata": {}}, "the index of the weights"),
        (
            {"architectures": ["WhisperForConditionalGeneration"], "num_mel_bins": 128},
            "use a hosted API for speech",
        ),
        (
            {"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True},
            "decoders that generate text",
        ),
    ],
)
def test_another_json_file_is_named_for_what_it_is(
    content: dict[str, object], named: str, tmp_path: Path
) -> None:
    assert named in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("beginning", "named"),
    [
        (b"GGUF\x03\x00\x00\x00", "a GGUF file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x40\x01\x00\x00\x00\x00\x00\x00{}", "a safetensors file"),
    ],
)
def test_weights_are_named_for_what_they_are(beginning: bytes, named: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(beginning)
    with pytest.raises(ModelConfigError, match=named):
        facts_from_config(path, name="a/b")


@pytest.mark.parametrize(
    ("scaling", "length"),
    [
        ({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}, 131_072),
        ({"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}, 131_072),
        ({"rope_type": "dynamic", "factor": 2.0}, 262_144),
        ({"rope_type": "default"}, 131_072),
        (None, 131_072),
    ],
)
def test_the_longest_request_follows_the_rope_scaling(
    scaling: dict[str, object] | None, length: int, tmp_path: Path
) -> None:
    assert facts(tmp_path, {**LLAMA, "rope_scaling": scaling}).max_model_length == length


def test_a_large_list_of_modules_is_read(tmp_path: Path) -> None:
    modules = [f"model.layers.{n}.mlp.experts.{n}.down_proj" for n in range(30_000)]
    quantization = {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": modules}
    assert facts(tmp_path, {**LLAMA, "quantization_config": quantization}).parameters > 8e9


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b" " * (LARGEST_BYTES + 1)],
    ids=["empty", "half", "list", "number", "not UTF-8", "deep", "large"],
)
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ModelConfigError, match=r"config\.json: .* Allowed: the config\.json"):
        facts_from_config(path, name="a/b")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelConfigError, match="No such file"):
        facts_from_config(tmp_path / "config.json", name="a/b")
    with pytest.raises(ModelConfigError, match=r"is a folder\. Name the file: .*config\.json"):
        facts_from_config(tmp_path, name="a/b")
