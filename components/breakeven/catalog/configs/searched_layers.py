"""Layers that a search over architectures chose one by one, as in Nemotron's Llama derivatives."""

from __future__ import annotations

from breakeven.catalog.configs.architectures import Architecture
from breakeven.catalog.configs.feed_forward import FeedForward
from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.configs.mixers import Heads, Mixers, attention, heads_of

_MULTIPLE = 256  # widths are rounded up to it


def searched_layers(
    fields: ConfigFields, architecture: Architecture
) -> tuple[list[Mixers], FeedForward] | None:
    """Returns the layers that `block_configs` describes; None if there is no such field.

    Raises:
        ModelConfigError: An entry is odd.
    """
    blocks = fields.items("block_configs")
    if blocks is None:
        return None
    hidden = fields.whole("hidden_size")
    usual = heads_of(fields, architecture)
    mixers: list[Mixers] = []
    dense = 0
    for place, block in enumerate(blocks):
        if not isinstance(block, dict):
            fields.refuse("block_configs", "an object for each layer")
        inside = ConfigFields(fields.file, block, f"{fields.inside}block_configs[{place}].")
        of_attention, forward = inside.part("attention"), inside.part("ffn")
        if not _is_skipped(of_attention):
            shared = of_attention.whole("n_heads_in_group", 1)
            heads = Heads(
                usual.queries, max(1, usual.queries // shared), usual.key_dim, usual.value_dim
            )
            mixers.append(attention(fields, architecture, count=1, kind="full", heads=heads))
        if not _is_skipped(forward):
            wide = 2 * forward.number("ffn_mult", 1.0) * hidden / 3
            inner = -(-int(wide) // _MULTIPLE) * _MULTIPLE
            dense += 3 * hidden * inner
    return mixers, FeedForward(dense=dense)


def _is_skipped(part: ConfigFields) -> bool:
    return part.flag("no_op", default=False) or part.flag("replace_with_linear", default=False)
