"""The longest request that a model takes."""

from __future__ import annotations

from breakeven.catalog.configs.architectures import Architecture
from breakeven.catalog.configs.fields import ConfigFields

_NAMES = ("max_position_embeddings", "max_sequence_length", "seq_length", "model_max_length")
_UNSCALED = ("default", "llama3", "longrope", "su", "mrope", "proportional", "")
"""Kinds of rope scaling whose factor is in max_position_embeddings already."""


def longest_request(fields: ConfigFields, architecture: Architecture) -> int:
    """Returns the longest request in tokens, as vLLM derives it (`_get_and_verify_max_len`).

    With YaRN the original length x the factor; Llama's "llama3" and LongRoPE state the result.

    Raises:
        ModelConfigError: No length is stated, or a factor is odd.
    """
    stated = fields.whole(_NAMES, architecture.length) - architecture.unused_positions
    for name in ("rope_scaling", "rope_parameters"):
        if isinstance(fields.values.get(name), dict):
            scaling = fields.part(name)
            kind = scaling.text(scaling.first("rope_type", "type"))
            if kind in _UNSCALED:
                continue
            original = scaling.whole("original_max_position_embeddings", stated)
            base = original if kind == "yarn" else stated
            return round(base * scaling.number("factor", 1.0))
    return stated
