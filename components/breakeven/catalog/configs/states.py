"""Layers that keep a state of constant size for a request: state space and linear attention."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.configs.mixers import Mixers
from breakeven.catalog.model_parts import LayerGroup

_STATE_BYTES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
_CONVOLUTION_BYTES = 2  # bf16


def mamba(fields: ConfigFields, count: int) -> Mixers:
    """Returns Mamba-2 layers (arXiv 2405.21060).

    Raises:
        ModelConfigError: A field is missing or odd.
    """
    hidden = fields.whole("hidden_size")
    heads = fields.whole(("mamba_num_heads", "mamba_n_heads"))
    head = fields.whole(("mamba_head_dim", "mamba_d_head"))
    state = fields.whole(("ssm_state_size", "mamba_d_state"))
    groups = fields.whole(("n_groups", "mamba_n_groups"), 1)
    kernel = fields.whole(("conv_kernel", "mamba_d_conv"), 4)
    inner = heads * head
    convolved = inner + 2 * groups * state
    state_bytes = _state_bytes(fields) * heads * head * state
    return Mixers(
        count=count,
        multiplied=hidden * (inner + convolved + heads) + inner * hidden,
        kept=convolved * (kernel + 1) + 3 * heads + inner,
        groups=(_state(count, heads, state_bytes, convolved * (kernel - 1)),),
    )


def linear_attention(fields: ConfigFields, count: int) -> Mixers:
    """Returns layers with linear attention: gated delta rule or Kimi Delta Attention.

    Raises:
        ModelConfigError: No fields of either are there.
    """
    if isinstance(fields.values.get("linear_attn_config"), dict):
        return _kimi_delta(fields, fields.part("linear_attn_config"), count)
    if fields.has("layer_group_size"):
        return _lightning(fields, count)
    hidden = fields.whole("hidden_size")
    keys, values = fields.whole("linear_num_key_heads"), fields.whole("linear_num_value_heads")
    key, value = fields.whole("linear_key_head_dim"), fields.whole("linear_value_head_dim")
    kernel = fields.whole("linear_conv_kernel_dim", 4)
    convolved = 2 * keys * key + values * value
    return Mixers(
        count=count,
        # Queries, keys, values, the gate, and two numbers a head; then the output.
        multiplied=hidden * (convolved + values * value + 2 * values) + values * value * hidden,
        kept=convolved * kernel + 2 * values + value,
        groups=(
            _state(
                count,
                keys,
                _state_bytes(fields) * values * key * value,
                convolved * (kernel - 1),
            ),
        ),
    )


def _lightning(fields: ConfigFields, count: int) -> Mixers:
    # Ling 2.5 (BailingMoeV2_5): queries, keys, values, a gate and the output, no convolution.
    hidden, heads = fields.whole("hidden_size"), fields.whole("num_attention_heads")
    head = fields.whole("head_dim")
    return Mixers(
        count=count,
        multiplied=5 * hidden * heads * head,
        kept=3 * head,
        groups=(_state(count, heads, _state_bytes(fields) * heads * head * head, 0),),
    )


def _kimi_delta(fields: ConfigFields, linear: ConfigFields, count: int) -> Mixers:
    # Kimi Linear (arXiv 2510.26692): the gates of decay and output have a low rank, a head's
    # width; in Kimi K3 the gate of the output is full.
    hidden = fields.whole("hidden_size")
    heads, head = linear.whole("num_heads"), linear.whole("head_dim")
    kernel = linear.whole("short_conv_kernel_size", 4)
    width = heads * head
    low_rank = hidden * head + head * width
    output_gate = hidden * width if linear.flag("use_full_rank_gate", default=False) else low_rank
    gates = low_rank + output_gate + hidden * heads
    return Mixers(
        count=count,
        multiplied=4 * hidden * width + gates,
        kept=3 * width * kernel + heads + width + head,
        groups=(
            _state(
                count, heads, _state_bytes(fields) * heads * head * head, 3 * width * (kernel - 1)
            ),
        ),
    )


def _state_bytes(fields: ConfigFields) -> int:
    name = fields.text(fields.first("mamba_ssm_dtype", "mamba_ssm_cache_dtype"))
    return _STATE_BYTES.get(name, 4)  # engines keep it in float32 unless told otherwise


def _state(count: int, heads: int, state_bytes: int, convolution: int) -> LayerGroup:
    return LayerGroup(
        kind="state",
        layers=count,
        query_heads=heads,
        key_value_heads=heads,
        state_bytes=state_bytes + convolution * _CONVOLUTION_BYTES,
    )
