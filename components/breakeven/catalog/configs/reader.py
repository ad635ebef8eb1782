"""Converts a model's config.json to the facts that determine its memory and speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from breakeven.catalog.configs.architectures import ARCHITECTURES, Architecture, unlisted
from breakeven.catalog.configs.encoders import encoder_layers, kept_of_encoder
from breakeven.catalog.configs.feed_forward import FeedForward, feed_forward
from breakeven.catalog.configs.fields import ConfigFields, ModelConfigError
from breakeven.catalog.configs.layers import layer_count, layer_kinds, listed, window_of
from breakeven.catalog.configs.lengths import longest_request
from breakeven.catalog.configs.mixers import (
    Heads,
    Mixers,
    attention,
    compressed_attention,
    heads_of,
    latent_attention,
)
from breakeven.catalog.configs.quantization import checkpoint_of, read_separate
from breakeven.catalog.configs.searched_layers import searched_layers
from breakeven.catalog.configs.states import linear_attention, mamba
from breakeven.catalog.configs.towers import tower_parameters
from breakeven.catalog.configs.weight_index import INDEX, indexed_parameters
from breakeven.catalog.model_facts import ModelFacts
from breakeven.catalog.model_parts import Parts, Task

QUANTIZATION = "hf_quant_config.json"
"""Name of the file in which ModelOpt states the quantization, in the same repository."""

_TEXT = ("text_config", "llm_config", "language_config", "thinker_config")


def facts_from_config(path: Path, *, name: str) -> ModelFacts:
    """Counts a model's parameters and cache from the dimensions that its config.json states.

    Weights are counted as their makers' modeling code lays them out. Reads hf_quant_config.json
    and, where the architecture is unknown, model.safetensors.index.json if they are in the same
    folder.

    Args:
        path: The file, as in the model's repository.
        name: Repository, such as "Qwen/Qwen3-8B", or a short name. The short name is its last
            part in lower case.

    Raises:
        ModelConfigError: The file cannot be read, is something else than a model's config.json, or
            a field is missing or odd.
    """
    whole = ConfigFields.read(path)
    return facts_of(
        whole,
        name=name,
        quantization=read_separate(path.parent / QUANTIZATION),
        indexed=indexed_parameters(path.parent / INDEX),
    )


def facts_of(
    whole: ConfigFields,
    *,
    name: str,
    quantization: Mapping[str, object] | None = None,
    indexed: int | None = None,
    task: Task | None = None,
) -> ModelFacts:
    """Counts a model from its fields; see `facts_from_config`.

    Args:
        whole: The config.json.
        name: Repository or short name.
        quantization: Content of a hf_quant_config.json; None without one.
        indexed: Parameters by the index of the weights; used where the architecture is unknown.
        task: What the model does, where the class that the config.json names does not tell.

    Raises:
        ModelConfigError: A field is missing or odd.
    """
    architecture_name = _architecture_name(whole)
    architecture = ARCHITECTURES.get(architecture_name) or unlisted(architecture_name)
    task = task or architecture.task
    fields = _text_fields(whole)
    mixers, forward = _layers(fields, architecture)
    layers = layer_count(fields)
    hidden = fields.whole("hidden_size")
    vocabulary = fields.whole("vocab_size", architecture.vocabulary)
    embedding = vocabulary * hidden
    is_tied = fields.flag("tie_word_embeddings", default=architecture.tied)
    if fields is not whole and not fields.has("tie_word_embeddings"):
        is_tied = whole.flag("tie_word_embeddings", default=architecture.tied)
    has_output_head = task == "generate" and not is_tied
    parts = Parts(
        embedding=2 * embedding if has_output_head else embedding,
        mixer=sum(each.count * each.multiplied for each in mixers),
        feed_forward=forward.dense,
        shared_experts=forward.shared,
        experts=forward.experts,
        kept=sum(each.count * each.kept for each in mixers)
        + forward.kept
        + (layers * architecture.norms + 1) * hidden
        + (kept_of_encoder(fields) if architecture.is_encoder else 0),
        tower=tower_parameters(whole, hidden),
    )
    is_unknown = architecture_name not in ARCHITECTURES
    if is_unknown and indexed:
        parts = _as_indexed(parts, indexed)
    unused = parts.experts - round(parts.experts * forward.chosen / (forward.experts or 1))
    active = parts.total - unused
    if not architecture.counts_embedding_as_active:
        active -= embedding
    return ModelFacts(
        name=name.rpartition("/")[2].lower(),
        repository=name,
        architecture=architecture_name,
        parts=parts,
        active_parameters=active,
        layers=layers,
        hidden_size=hidden,
        max_model_length=longest_request(fields, architecture),
        groups=tuple(group for each in mixers for group in each.groups),
        checkpoint=checkpoint_of(whole, parts, quantization),
        draft_parameters=_draft_parameters(fields, parts, layers),
        quantizes_experts_only=architecture.quantizes_experts_only,
        is_estimated=is_unknown,
        fetches_vocabulary=architecture.fetches_vocabulary,
        vocabulary=vocabulary,
        task=task,
        source=_source(parts, forward, is_unknown=is_unknown, indexed=indexed),
    )


def _architecture_name(fields: ConfigFields) -> str:
    values = fields.values
    if "peft_type" in values:
        base = values.get("base_model_name_or_path")
        msg = (
            f"{fields.file} describes a LoRA adapter of {base}, not a model. Serve it with "
            "model.loraAdapters; the config.json wanted here is that of the base model"
        )
        raise ModelConfigError(msg)
    if "n_layers" in values and "dim" in values:
        msg = (
            f"{fields.file} is a params.json of Mistral or Llama. Use the config.json of the same "
            "repository"
        )
        raise ModelConfigError(msg)
    if "weight_map" in values:
        msg = (
            f"{fields.file} is the index of the weights. Use the config.json of the same repository"
        )
        raise ModelConfigError(msg)
    if "num_mel_bins" in values:
        msg = (
            f"{fields.file} describes a model that turns speech into text. Its load is measured in "
            "seconds of audio, and its capacity is unknown. Allowed: models that generate text, "
            "embed texts, or score pairs of texts; use a hosted API for speech"
        )
        raise ModelConfigError(msg)
    if values.get("is_encoder_decoder") is True:
        msg = (
            f"{fields.file} describes an encoder with a decoder, such as T5 or BART. Allowed: "
            "decoders that generate text, such as Llama or Qwen; encoders that embed texts or "
            "score pairs, such as bge-m3"
        )
        raise ModelConfigError(msg)
    names = fields.items("architectures") or [None]
    if not isinstance(names[0], str):
        fields.refuse(
            "architectures", 'a list with the name of a class, such as ["LlamaForCausalLM"]'
        )
    return names[0]


def _text_fields(whole: ConfigFields) -> ConfigFields:
    fields = whole
    for name in _TEXT:
        if isinstance(fields.values.get(name), dict):
            fields = fields.part(name)
    return fields


def _layers(fields: ConfigFields, architecture: Architecture) -> tuple[list[Mixers], FeedForward]:
    """Returns the model's layers: what mixes tokens, and what follows it."""
    layers = layer_count(fields)
    if architecture.is_encoder:
        return encoder_layers(fields, layers)
    searched = searched_layers(fields, architecture)
    if searched:
        return searched
    ratios = listed(fields, "compress_ratios", layers)
    if ratios is not None:
        whole_ratios = [ratio for ratio in ratios if type(ratio) is int and ratio >= 0]
        if len(whole_ratios) != layers:
            fields.refuse("compress_ratios", f"a whole number for each of {layers} layers")
        return (
            list(compressed_attention(fields, whole_ratios)),
            feed_forward(fields, architecture, layers=layers),
        )
    kinds = layer_kinds(fields, architecture)
    mixers = list(_mixers(fields, architecture, kinds))
    alone = kinds["dense"] + kinds["experts"]
    if alone:
        return mixers, feed_forward(
            fields, architecture, layers=alone, expert_layers=kinds["experts"]
        )
    return mixers, feed_forward(fields, architecture, layers=layers)


def _mixers(
    fields: ConfigFields, architecture: Architecture, kinds: Mapping[str, int]
) -> list[Mixers]:
    found: list[Mixers] = []
    if kinds["linear"]:
        found.append(linear_attention(fields, kinds["linear"]))
    if kinds["mamba"]:
        found.append(mamba(fields, kinds["mamba"]))
    if fields.has("kv_lora_rank"):
        full = kinds["full"] + kinds["sliding"] + kinds["chunked"]
        indexers = listed(fields, "indexer_types", full)
        indexed = full if indexers is None else sum(kind == "full" for kind in indexers)
        return [*found, latent_attention(fields, full, indexed=indexed)]
    windows = {
        "sliding": window_of(fields, architecture.sliding_window or 0),
        "chunked": fields.whole("attention_chunk_size", 0, least=0),
    }
    for kind in ("sliding", "chunked"):
        if kinds[kind]:
            prefix = "swa_" if kind == "sliding" else ""
            own = _heads_of_layers(fields, f"{kind}_attention")
            found.append(
                attention(
                    fields,
                    architecture,
                    count=kinds[kind],
                    kind="sliding" if kind == "sliding" else "chunked",
                    heads=_with_queries(heads_of(fields, architecture, prefix), own),
                    window=windows[kind],
                )
            )
    if kinds["full"]:
        # Gemma 4: other heads in its global layers, whose keys and values have one projection.
        differs = fields.has("global_head_dim")
        heads = _with_queries(
            heads_of(fields, architecture), _heads_of_layers(fields, "full_attention")
        )
        if differs:
            heads = _global_heads(fields, architecture)
        found.append(
            attention(
                fields,
                architecture,
                count=kinds["full"],
                kind="full",
                heads=heads,
                shares_projection=differs and fields.flag("attention_k_eq_v", default=False),
            )
        )
    return found


def _heads_of_layers(fields: ConfigFields, kind: str) -> int | None:
    """Returns the query heads of layers of a kind, where each layer states its own."""
    heads, kinds = fields.items("num_attention_heads_per_layer"), fields.values.get("layer_types")
    if not heads or not isinstance(kinds, list) or kind not in kinds[: len(heads)]:
        return None
    found = heads[kinds.index(kind)]
    if type(found) is not int or found < 1:
        fields.refuse("num_attention_heads_per_layer", "a whole number for each layer")
    return found


def _with_queries(heads: Heads, queries: int | None) -> Heads:
    return heads if queries is None else replace(heads, queries=queries)


def _global_heads(fields: ConfigFields, architecture: Architecture) -> Heads:
    usual = heads_of(fields, architecture)
    width = fields.whole("global_head_dim")
    key_values = fields.whole("num_global_key_value_heads", usual.key_values)
    return Heads(usual.queries, key_values, width, width)


def _as_indexed(parts: Parts, indexed: int) -> Parts:
    """Returns the parts of an unknown architecture, so that they add up to the index."""
    counted = parts.total - parts.embedding
    factor = max(0, indexed - parts.embedding) / counted if counted else 0
    scaled = replace(
        parts,
        mixer=round(parts.mixer * factor),
        feed_forward=round(parts.feed_forward * factor),
        shared_experts=round(parts.shared_experts * factor),
        experts=round(parts.experts * factor),
        tower=round(parts.tower * factor),
        kept=0,
    )
    return replace(scaled, kept=max(0, indexed - scaled.total))


def _draft_parameters(fields: ConfigFields, parts: Parts, layers: int) -> int:
    """Returns the parameters of a head for speculative decoding: whole layers, and a projection."""
    name = fields.first("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules")
    count = fields.whole(name, 0, least=0)
    in_layers = parts.total - parts.embedding - parts.tower
    return count * (in_layers // layers + 2 * fields.whole("hidden_size") ** 2)


def _source(parts: Parts, forward: FeedForward, *, is_unknown: bool, indexed: int | None) -> str:
    included = ", encoder included" if parts.tower else ""
    said = [f"config.json of the repository; parameters summed over its shapes{included}"]
    if is_unknown:
        said[0] = (
            "config.json of the repository; the architecture is unknown, so parameters are "
            + ("those of the index of its weights" if indexed else "counted as usual")
        )
    if forward.expert_layers:
        said.append(f"{forward.expert_layers} layers with experts")
    return "; ".join(said)
