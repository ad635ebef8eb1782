"""What the fields of a config.json leave open, by the class that it names.

From the modeling code of the package transformers, and of vLLM where transformers has no class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from breakeven.catalog.model_parts import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One architecture; defaults are those of most configuration classes.

    Attributes:
        norms: Norms of the layer's width in a layer.
        head_norms: Whether queries and keys have a norm of a head's width each.
        bias: Which attention projections have a bias: none, query, key and value, or all four
            where the field attention_bias is true.
        attention_bias: Default of that field.
        attention_sinks: Whether a layer has one learned number for each query head.
        tied: Default of tie_word_embeddings: the output head is the embedding.
        head_dim: Default of head_dim; None: hidden_size / num_attention_heads.
        heads: Default of num_attention_heads; None: it has to be there.
        key_value_heads: Default of num_key_value_heads; None: as many as query heads.
        vocabulary: Default of vocab_size; None: it has to be there.
        length: Default of max_position_embeddings; None: it has to be there.
        expert_bias: Whether router and experts have biases.
        windows: Which layers have a window, unless layer_types says so: none, all, those from
            max_window_layers on if use_sliding_window is true, every second one, all but each
            sliding_window_pattern-th, or all but every fourth.
        sliding_window: Default of that field; None: no window unless it is there.
        dense_and_experts: Whether a layer with experts has a dense feed-forward layer as well.
        shared_expert: Whether there is one shared expert although no field says so.
        quantizes_experts_only: Whether published 4-bit checkpoints keep all else in bf16.
        counts_embedding_as_active: Whether the makers' number of active parameters does.
        fetches_vocabulary: Whether vLLM downloads a vocabulary for it at every start.
        task: What it does with a text, unless the model table says otherwise.
        is_encoder: Whether each token sees the whole text, in layers as BERT has them: learned
            positions, biases everywhere, a feed-forward layer of two matrices.
        unused_positions: Learned positions that no token has.
    """

    norms: int = 2
    head_norms: bool = False
    bias: Literal["none", "query, key, value", "field"] = "field"
    attention_bias: bool = False
    attention_sinks: bool = False
    tied: bool = False
    head_dim: int | None = None
    heads: int | None = None
    key_value_heads: int | None = None
    vocabulary: int | None = None
    length: int | None = None
    expert_bias: bool = False
    windows: Literal["none", "all", "late", "every second", "pattern", "fourth"] = "none"
    sliding_window: int | None = None
    dense_and_experts: bool = False
    shared_expert: bool = False
    quantizes_experts_only: bool = False
    counts_embedding_as_active: bool = True
    fetches_vocabulary: bool = False
    task: Task = "generate"
    is_encoder: bool = False
    unused_positions: int = 0


_SCORES = re.compile(r"For(Sequence|Token)Classification$|ForRanking$")
_EMBEDS = re.compile(r"(Bert|Roberta|GteNew)\w*(Model|ForMaskedLM)$|EmbeddingModel$")


def unlisted(name: str) -> Architecture:
    """Returns what stands for a class that is not listed.

    Its fields are counted as most architectures use them; what it does follows from its name, as
    vLLM's pooling runner knows it.
    """
    if _SCORES.search(name):
        return Architecture(task="score")
    return Architecture(task="embed" if _EMBEDS.search(name) else "generate")


_GEMMA_3 = Architecture(
    norms=4,
    head_norms=True,
    tied=True,
    head_dim=256,
    heads=8,
    key_value_heads=4,
    vocabulary=262_208,  # its config.json leaves out what is the default
    length=131_072,
    windows="pattern",
    sliding_window=1024,
)
_GEMMA_4 = Architecture(norms=4, head_norms=True, tied=True, dense_and_experts=True)
_MISTRAL = Architecture(bias="none", windows="all")
_QWEN_3 = Architecture(head_norms=True, head_dim=128, windows="late")
_QWEN_3_5 = Architecture(head_norms=True, head_dim=256)
_QWEN_2 = Architecture(bias="query, key, value", windows="late")
_PLAIN = Architecture()
_LATENT = Architecture()
_BERT = Architecture(task="embed", is_encoder=True)
# Their first position is the one after that of padding, 1.
_ROBERTA = replace(_BERT, unused_positions=2)

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "BailingMoeForCausalLM": _PLAIN,
        "BailingMoeV2ForCausalLM": Architecture(head_norms=True),
        "BailingMoeV2_5ForCausalLM": _LATENT,
        "DeciLMForCausalLM": _PLAIN,
        "DeepseekV2ForCausalLM": _LATENT,
        "DeepseekV32ForCausalLM": _LATENT,
        "DeepseekV3ForCausalLM": _LATENT,
        "DeepseekV4ForCausalLM": _LATENT,
        "Ernie4_5ForCausalLM": _PLAIN,
        "Ernie4_5_MoeForCausalLM": _PLAIN,
        "Gemma2ForCausalLM": Architecture(
            norms=4, tied=True, head_dim=256, windows="every second", sliding_window=4096
        ),
        "Gemma3ForCausalLM": _GEMMA_3,
        "Gemma3ForConditionalGeneration": _GEMMA_3,
        "Gemma4ForCausalLM": _GEMMA_4,
        "Gemma4UnifiedForConditionalGeneration": _GEMMA_4,
        "Gemma4ForConditionalGeneration": _GEMMA_4,
        "Glm4ForCausalLM": Architecture(norms=4),
        "Glm4MoeForCausalLM": _PLAIN,
        "Glm4MoeLiteForCausalLM": _LATENT,
        "GlmMoeDsaForCausalLM": _LATENT,
        "GptOssForCausalLM": Architecture(
            attention_bias=True,
            attention_sinks=True,
            head_dim=64,
            expert_bias=True,
            windows="every second",
            sliding_window=128,
            quantizes_experts_only=True,
            counts_embedding_as_active=False,
            fetches_vocabulary=True,
        ),
        "GraniteForCausalLM": Architecture(tied=True),
        "GraniteMoeHybridForCausalLM": Architecture(tied=True),
        "HYV3ForCausalLM": Architecture(head_norms=True),
        "HunYuanMoEV1ForCausalLM": Architecture(head_norms=True),
        "InklingForConditionalGeneration": _PLAIN,
        "KimiK25ForConditionalGeneration": _LATENT,
        "KimiK3ForConditionalGeneration": _LATENT,
        "KimiLinearForCausalLM": _LATENT,
        "LagunaForCausalLM": Architecture(head_norms=True),
        "Llama4ForConditionalGeneration": Architecture(windows="fourth", shared_expert=True),
        "LlamaForCausalLM": _PLAIN,
        "MiMoForCausalLM": Architecture(bias="query, key, value", windows="late"),
        "MiMoV2FlashForCausalLM": _PLAIN,
        "MiMoV2ForCausalLM": _PLAIN,
        "MiniMaxM2ForCausalLM": Architecture(head_norms=True),
        "MiniMaxM3ForCausalLM": Architecture(head_norms=True),
        "MiniMaxM3SparseForConditionalGeneration": Architecture(head_norms=True),
        "Mistral3ForConditionalGeneration": _MISTRAL,
        "MistralForCausalLM": _MISTRAL,
        "MistralLarge3ForCausalLM": _LATENT,
        "MixtralForCausalLM": _MISTRAL,
        "NemotronHForCausalLM": Architecture(norms=1),
        "Phi3ForCausalLM": Architecture(bias="none", windows="all"),
        "Qwen2ForCausalLM": _QWEN_2,
        "Qwen3ForCausalLM": _QWEN_3,
        "Qwen3MoeForCausalLM": _QWEN_3,
        "Qwen3NextForCausalLM": _QWEN_3_5,
        "Qwen3VLForConditionalGeneration": _QWEN_3,
        "Qwen3VLMoeForConditionalGeneration": _QWEN_3,
        "Qwen3_5ForCausalLM": _QWEN_3_5,
        "Qwen3_5ForConditionalGeneration": _QWEN_3_5,
        "Qwen3_5MoeForCausalLM": _QWEN_3_5,
        "Qwen3_5MoeForConditionalGeneration": _QWEN_3_5,
        "SeedOssForCausalLM": Architecture(bias="query, key, value"),
        "Step3p7FlashForCausalLM": Architecture(head_norms=True),
        # Of vLLM's pooling runner, which read a text and write none.
        "BertForSequenceClassification": replace(_BERT, task="score"),
        "BertModel": _BERT,
        "LlamaForSequenceClassification": replace(_PLAIN, task="score"),
        "LlamaModel": replace(_PLAIN, task="embed"),
        "MistralModel": replace(_MISTRAL, task="embed"),
        "Qwen2ForSequenceClassification": replace(_QWEN_2, task="score"),
        "Qwen2Model": replace(_QWEN_2, task="embed"),
        "Qwen3ForSequenceClassification": replace(_QWEN_3, task="score"),
        "Qwen3Model": replace(_QWEN_3, task="embed"),
        "RobertaForSequenceClassification": replace(_ROBERTA, task="score"),
        "RobertaModel": _ROBERTA,
        "XLMRobertaForSequenceClassification": replace(_ROBERTA, task="score"),
        "XLMRobertaModel": _ROBERTA,
    }
)
"""By the class that config.json names; `unlisted` tells of others."""
