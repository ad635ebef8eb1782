"""Encoders such as BERT: each token sees the whole text, and nothing is kept of a request."""

from __future__ import annotations

from breakeven.catalog.configs.feed_forward import FeedForward
from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.configs.mixers import Mixers
from breakeven.catalog.model_parts import LayerGroup


def encoder_layers(fields: ConfigFields, layers: int) -> tuple[list[Mixers], FeedForward]:
    """Returns layers as `BertLayer` of the package transformers has them.

    Four attention projections and two feed-forward matrices, each with a bias; the norms of a layer
    are counted by their weights elsewhere, and by their biases here.

    Raises:
        ModelConfigError: A field is missing or odd.
    """
    hidden, heads = fields.whole("hidden_size"), fields.whole("num_attention_heads")
    inner = fields.whole("intermediate_size")
    if hidden % heads:
        fields.refuse("num_attention_heads", f"a divisor of hidden_size, {hidden}")
    width = hidden // heads
    group = LayerGroup(
        kind="none",
        layers=layers,
        query_heads=heads,
        key_value_heads=heads,
        key_dim=width,
        value_dim=width,
    )
    mixers = Mixers(count=layers, multiplied=4 * hidden**2, kept=6 * hidden, groups=(group,))
    forward = FeedForward(dense=layers * 2 * hidden * inner, kept=layers * (inner + hidden))
    return [mixers], forward


def kept_of_encoder(fields: ConfigFields) -> int:
    """Returns what is beside embedding and layers: positions, kinds of segments, pooler or head.

    Of the norm after the embedding the bias; its weights are counted as those of a last norm.
    """
    hidden = fields.whole("hidden_size")
    positions = fields.whole("max_position_embeddings") + fields.whole("type_vocab_size", 1)
    return positions * hidden + hidden + hidden**2 + hidden
