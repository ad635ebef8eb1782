"""Attention and its alternatives: parameters of a layer, and its cache per request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from breakeven.catalog.configs.architectures import Architecture
from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.model_parts import CacheKind, LayerGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixers:
    """Layers of one kind.

    Attributes:
        count: How many they are.
        multiplied: Parameters of matrices in each.
        kept: Norms, biases and convolutions in each.
        groups: What they keep of a request.
    """

    count: int
    multiplied: int
    kept: int
    groups: tuple[LayerGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Heads:
    """Heads of an attention layer."""

    queries: int
    key_values: int
    key_dim: int
    value_dim: int


def heads_of(fields: ConfigFields, architecture: Architecture, prefix: str = "") -> Heads:
    """Returns the heads of attention layers.

    Args:
        fields: The text model's fields.
        architecture: Its defaults.
        prefix: Of the fields of layers with other heads, such as "swa_" or "global_".

    Raises:
        ModelConfigError: A field is missing or odd.
    """

    def named(name: str) -> str:
        return fields.first(prefix + name, name) if prefix else name

    queries = fields.whole(named("num_attention_heads"), architecture.heads)
    key_values = fields.whole(named("num_key_value_heads"), architecture.key_value_heads or queries)
    if queries % key_values:
        fields.refuse(named("num_key_value_heads"), f"a divisor of num_attention_heads, {queries}")
    default = architecture.head_dim
    name = fields.first("attention_head_dim", named("head_dim"))
    if default is None and not fields.has(name):
        hidden = fields.whole("hidden_size")
        if hidden % queries:
            fields.refuse("head_dim", f"a whole number; {hidden} / {queries} is none")
        default = hidden // queries
    key_dim = fields.whole(name, default)
    return Heads(queries, key_values, key_dim, fields.whole(named("v_head_dim"), key_dim))


def attention(  # noqa: PLR0913  # one argument for each thing that differs between layers
    fields: ConfigFields,
    architecture: Architecture,
    *,
    count: int,
    kind: CacheKind,
    heads: Heads,
    window: int = 0,
    shares_projection: bool = False,
) -> Mixers:
    """Returns layers with grouped-query attention.

    Args:
        fields: The text model's fields.
        architecture: Its class.
        count: How many layers.
        kind: What they keep.
        heads: Their heads.
        window: Tokens that they look back on; 0 for all.
        shares_projection: Whether keys and values come from one projection; both are cached.
    """
    hidden = fields.whole("hidden_size")
    queries = heads.queries * heads.key_dim
    keys, values = heads.key_values * heads.key_dim, heads.key_values * heads.value_dim
    output = heads.queries * heads.value_dim
    projected = keys if shares_projection else keys + values
    multiplied = hidden * (queries + projected + output)
    if fields.flag("attn_output_gate", default=False):
        multiplied += hidden * output
    kept = 0
    if architecture.bias == "query, key, value":
        kept += queries + keys + values
    elif architecture.bias == "field" and fields.flag(
        "attention_bias", default=architecture.attention_bias
    ):
        kept += queries + keys + values + hidden
    if fields.text("qk_norm_type") == "per_layer":
        kept += queries + keys
    elif architecture.head_norms:
        kept += 2 * heads.key_dim
    if architecture.attention_sinks:
        kept += heads.queries
    multiplied_index, index = _block_index(fields, count)
    group = LayerGroup(
        kind=kind,
        layers=count,
        query_heads=heads.queries,
        key_value_heads=heads.key_values,
        key_dim=heads.key_dim,
        value_dim=heads.value_dim,
        cached_numbers=keys + values,
        window=window,
    )
    return Mixers(
        count=count,
        multiplied=multiplied + multiplied_index,
        kept=kept,
        groups=(group, *index),
    )


def _block_index(fields: ConfigFields, count: int) -> tuple[int, tuple[LayerGroup, ...]]:
    """Returns what chooses blocks of keys in MiniMax M3: its parameters and its cache."""
    if not isinstance(fields.values.get("sparse_attention_config"), dict):
        return 0, ()
    sparse = fields.part("sparse_attention_config")
    if not sparse.flag("use_sparse_attention", default=False):
        return 0, ()
    heads, width = sparse.whole("sparse_num_index_heads"), sparse.whole("sparse_index_dim")
    group = LayerGroup(
        kind="index", layers=count, query_heads=heads, key_dim=width, cached_numbers=width
    )
    return fields.whole("hidden_size") * width * (heads + 1), (group,)


def latent_attention(fields: ConfigFields, count: int, *, indexed: int = 0) -> Mixers:
    """Returns layers with multi-head latent attention (DeepSeek-V2, arXiv 2405.04434).

    A token keeps one compressed vector and one rotated key that all heads share; with an index
    (DeepSeek-V3.2) a further key, by which `index_topk` tokens are chosen.

    Args:
        fields: The text model's fields.
        count: How many layers.
        indexed: How many of them have an index of their own.
    """
    hidden, heads = fields.whole("hidden_size"), fields.whole("num_attention_heads")
    latent = fields.whole("kv_lora_rank")
    plain, rotated = fields.whole("qk_nope_head_dim"), fields.whole("qk_rope_head_dim", least=0)
    value = fields.whole("v_head_dim")
    query_rank = fields.whole("q_lora_rank", 0, least=0)
    queries = heads * (plain + rotated)
    if query_rank:
        multiplied, kept = query_rank * (hidden + queries), query_rank
    else:
        multiplied, kept = hidden * queries, 0
    multiplied += hidden * (latent + rotated) + latent * heads * (plain + value)
    multiplied += heads * value * hidden
    if fields.flag("mla_use_output_gate", default=False):
        multiplied += hidden * heads * value
    if fields.flag("attention_bias", default=False):
        kept += query_rank + latent + rotated + hidden
    chosen = fields.whole("index_topk", 0, least=0)
    groups = [
        LayerGroup(
            kind="latent",
            layers=count,
            query_heads=heads,
            key_dim=plain + rotated,
            value_dim=value,
            cached_numbers=latent + rotated,
            attended=chosen,
        )
    ]
    of_index = 0
    if chosen:
        of_index, group = index(fields, indexed, query_rank or hidden)
        groups.append(group)
    return Mixers(
        count=count,
        # Layers without an index of their own use that of a layer before them.
        multiplied=multiplied + (of_index * indexed // count if count else 0),
        kept=kept + latent,
        groups=tuple(groups),
    )


def index(fields: ConfigFields, layers: int, query_rank: int) -> tuple[int, LayerGroup]:
    """Returns the parameters and the cache of a layer's index for sparse attention."""
    heads, width = fields.whole("index_n_heads"), fields.whole("index_head_dim")
    hidden = fields.whole("hidden_size")
    group = LayerGroup(
        kind="index",
        layers=layers,
        query_heads=heads,
        key_dim=width,
        cached_numbers=width,
    )
    return query_rank * heads * width + hidden * (width + heads) + 2 * width, group


def compressed_attention(fields: ConfigFields, ratios: list[int]) -> Iterator[Mixers]:
    """Yields the layers of DeepSeek-V4: a window, and compressed entries for what is before it.

    Keys and values are one vector of `head_dim`. Layers that compress 4 tokens into an entry choose
    `index_topk` of the entries by an index; those that compress 128 read all.

    Args:
        fields: The text model's fields.
        ratios: Tokens of an entry for each layer; 0 for a window alone.
    """
    hidden, heads = fields.whole("hidden_size"), fields.whole("num_attention_heads")
    width, query_rank = fields.whole("head_dim"), fields.whole("q_lora_rank")
    out_rank, out_groups = fields.whole("o_lora_rank"), fields.whole("o_groups")
    window = fields.whole("sliding_window")
    multiplied = query_rank * (hidden + heads * width) + hidden * width
    multiplied += heads * width * out_rank + out_groups * out_rank * hidden
    kept = query_rank + width + heads
    for ratio in sorted(set(ratios)):
        count = ratios.count(ratio)
        parts = {"layers": count, "query_heads": heads, "key_dim": width, "value_dim": width}
        groups = [LayerGroup(kind="sliding", cached_numbers=width, window=window, **parts)]
        more = 0
        if ratio:
            chooses = ratio < _COARSE
            groups.append(
                LayerGroup(
                    kind="compressed",
                    cached_numbers=width,
                    tokens_per_entry=ratio,
                    attended=fields.whole("index_topk") if chooses else 0,
                    **parts,
                )
            )
            # Entries that overlap are made by two projections; each has a gate of its size.
            more = 2 * hidden * width * (2 if chooses else 1)
            if chooses:
                heads_of_index = fields.whole("index_n_heads")
                index_width = fields.whole("index_head_dim")
                more += query_rank * heads_of_index * index_width + hidden * heads_of_index
                more += 4 * hidden * index_width
                groups.append(
                    LayerGroup(
                        kind="index",
                        layers=count,
                        query_heads=heads_of_index,
                        key_dim=index_width,
                        cached_numbers=index_width,
                        tokens_per_entry=ratio,
                    )
                )
        yield Mixers(count=count, multiplied=multiplied + more, kept=kept, groups=tuple(groups))


_COARSE = 64
"""Entries of so many tokens or more are read without an index."""
