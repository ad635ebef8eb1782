"""How the layers of each architecture are built, as far as the number of parameters goes.

From the modelling code of the package transformers, whose class a config.json names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One architecture; defaults are those of its configuration class.

    Attributes:
        norms: RMS norms of the layer's width in a layer.
        head_norms: Whether queries and keys have a norm of a head's width each.
        bias: Which attention projections have a bias: none, query, key and value, or all four
            where the field attention_bias is true.
        attention_bias: Default of that field.
        attention_sinks: Whether a layer has one learnt figure for each query head.
        tied: Default of tie_word_embeddings: the output head is the embedding.
        head_dim: Default of head_dim; None: hidden_size / num_attention_heads.
        experts_field: Which field has the number of experts; empty: no mixture.
        expert_size_field: Which field has an expert's inner width.
        expert_bias: Whether router and experts have biases.
        windows: Which layers have a sliding window, unless layer_types says so: none, all, those
            from max_window_layers on if use_sliding_window is true, every second one, or all but
            each sliding_window_pattern-th.
        sliding_window: Default of that field; None: no window unless it is there.
        quantises_experts_only: Whether published 4-bit checkpoints keep all else in bf16.
        counts_embedding_as_active: Whether the makers' number of active parameters does.
        fetches_vocabulary: Whether vLLM downloads a vocabulary for it at every start.
    """

    norms: int = 2
    head_norms: bool = False
    bias: Literal["none", "query, key, value", "field"] = "none"
    attention_bias: bool = False
    attention_sinks: bool = False
    tied: bool = False
    head_dim: int | None = None
    experts_field: str = ""
    expert_size_field: str = ""
    expert_bias: bool = False
    windows: Literal["none", "all", "late", "every second", "pattern"] = "none"
    sliding_window: int | None = None
    quantises_experts_only: bool = False
    counts_embedding_as_active: bool = True
    fetches_vocabulary: bool = False


_GEMMA_3 = Architecture(
    norms=4,
    head_norms=True,
    bias="field",
    tied=True,
    head_dim=256,
    windows="pattern",
    sliding_window=1024,
)

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "LlamaForCausalLM": Architecture(bias="field"),
        "MistralForCausalLM": Architecture(windows="all"),
        "MixtralForCausalLM": Architecture(
            experts_field="num_local_experts",
            expert_size_field="intermediate_size",
            windows="all",
        ),
        "Qwen2ForCausalLM": Architecture(bias="query, key, value", windows="late"),
        "Qwen3ForCausalLM": Architecture(
            head_norms=True, bias="field", head_dim=128, windows="late"
        ),
        "Qwen3MoeForCausalLM": Architecture(
            head_norms=True,
            bias="field",
            experts_field="num_experts",
            expert_size_field="moe_intermediate_size",
            windows="late",
        ),
        "Gemma2ForCausalLM": Architecture(
            norms=4,
            bias="field",
            tied=True,
            head_dim=256,
            windows="every second",
            sliding_window=4096,
        ),
        "Gemma3ForCausalLM": _GEMMA_3,
        "Gemma3ForConditionalGeneration": _GEMMA_3,
        "Phi3ForCausalLM": Architecture(windows="all"),
        "GptOssForCausalLM": Architecture(
            bias="field",
            attention_bias=True,
            attention_sinks=True,
            head_dim=64,
            experts_field="num_local_experts",
            expert_size_field="intermediate_size",
            expert_bias=True,
            windows="every second",
            sliding_window=128,
            quantises_experts_only=True,
            counts_embedding_as_active=False,
            fetches_vocabulary=True,
        ),
    }
)
"""What `model_config.facts_from_config` can count, by the class that config.json names."""
