"""Fields of config.json of the models in data/models.json, as far as they decide a count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.catalog.models import load_models

_CLASSES: Mapping[str, tuple[str, int, int, dict[str, Any]]] = {
    # Class, width of the feed-forward layer, vocabulary, and further fields.
    "qwen2.5-0.5b-instruct": ("Qwen2", 4864, 151_936, {"tie_word_embeddings": True}),
    "qwen2.5-1.5b-instruct": ("Qwen2", 8960, 151_936, {"tie_word_embeddings": True}),
    "qwen2.5-7b-instruct": ("Qwen2", 18_944, 152_064, {}),
    "qwen2.5-14b-instruct": ("Qwen2", 13_824, 152_064, {}),
    "qwen2.5-32b-instruct": ("Qwen2", 27_648, 152_064, {}),
    "qwen2.5-72b-instruct": ("Qwen2", 29_568, 152_064, {}),
    "qwen3-8b": ("Qwen3", 12_288, 151_936, {}),
    "qwen3-14b": ("Qwen3", 17_408, 151_936, {}),
    "qwen3-32b": ("Qwen3", 25_600, 151_936, {"head_dim": 128}),
    "qwen3-30b-a3b": (
        "Qwen3Moe",
        6144,
        151_936,
        {
            "head_dim": 128,
            "num_experts": 128,
            "num_experts_per_tok": 8,
            "moe_intermediate_size": 768,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        },
    ),
    "llama-2-7b-chat": ("Llama", 11_008, 32_000, {}),
    "llama-2-13b-chat": ("Llama", 13_824, 32_000, {}),
    "llama-3.1-8b-instruct": ("Llama", 14_336, 128_256, {}),
    "llama-3.1-70b-instruct": ("Llama", 28_672, 128_256, {}),
    "llama-3.3-70b-instruct": ("Llama", 28_672, 128_256, {}),
    "mistral-7b-instruct-v0.3": ("Mistral", 14_336, 32_768, {"sliding_window": None}),
    "mistral-nemo-12b-instruct": ("Mistral", 14_336, 131_072, {"head_dim": 128}),
    "mistral-small-24b": ("Mistral", 32_768, 131_072, {"head_dim": 128}),
    "mixtral-8x7b": (
        "Mixtral",
        14_336,
        32_000,
        {"num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None},
    ),
    "gemma-2-9b": ("Gemma2", 14_336, 256_000, {"head_dim": 256}),
    "gemma-2-27b": ("Gemma2", 36_864, 256_000, {"head_dim": 128, "sliding_window": 4096}),
    "gemma-3-12b": ("Gemma3", 15_360, 262_208, {}),
    "gemma-3-27b": ("Gemma3", 21_504, 262_208, {"head_dim": 128}),
    "phi-4": ("Phi3", 17_920, 100_352, {"sliding_window": None}),
    "gpt-oss-20b": ("GptOss", 2880, 201_088, {"num_local_experts": 32, "num_experts_per_tok": 4}),
    "gpt-oss-120b": (
        "GptOss",
        2880,
        201_088,
        {"num_local_experts": 128, "num_experts_per_tok": 4},
    ),
}

_SIGLIP = {
    "hidden_size": 1152,
    "image_size": 896,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "patch_size": 14,
}


def _config(name: str) -> dict[str, Any]:
    facts = load_models()[name]
    family, inner, vocabulary, more = _CLASSES[name]
    fields = {
        "hidden_size": facts.hidden_size,
        "intermediate_size": inner,
        "num_hidden_layers": facts.layers,
        "num_attention_heads": facts.attention_heads,
        "num_key_value_heads": facts.key_value_heads,
        "max_position_embeddings": facts.max_model_length,
        "vocab_size": vocabulary,
        **more,
    }
    if family != "Gemma3":
        return {"architectures": [f"{family}ForCausalLM"], **fields}
    # As published: what is the default is left out.
    del fields["vocab_size"], fields["max_position_embeddings"]
    return {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {**fields, "sliding_window": 1024},
        "vision_config": _SIGLIP,
    }


CONFIGS: Mapping[str, dict[str, Any]] = {name: _config(name) for name in _CLASSES}
