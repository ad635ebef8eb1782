"""Feed-forward layers: dense ones, and mixtures of experts with what every token passes."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.configs.architectures import Architecture
from breakeven.catalog.configs.fields import ConfigFields
from breakeven.catalog.configs.layers import listed

_COUNT = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
_CHOSEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "top_k_experts",
    "moe_topk",
    "moe_top_k",
    "moe_k",
)
_INNER = ("moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size")
# The last only where the experts are called local, as in Mixtral, or dense layers have a width of
# their own: it is that of dense layers otherwise.


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """All feed-forward layers, in parameters unless said otherwise.

    Attributes:
        dense: Of dense layers.
        shared: Of experts that every token passes.
        experts: Of experts among which a router chooses.
        chosen: Of those that one token passes.
        kept: Routers and biases.
        expert_layers: Layers with experts.
    """

    dense: int = 0
    shared: int = 0
    experts: int = 0
    chosen: int = 0
    kept: int = 0
    expert_layers: int = 0


def expert_count(fields: ConfigFields) -> int:
    """Returns the routed experts of a layer; 0 if it has none."""
    for name in _COUNT:
        if fields.values.get(name) not in (None, 0):
            count = fields.whole(name)
            return count if count > 1 else 0
    if any(fields.values.get(name) for name in (*_CHOSEN, "moe_intermediate_size")):
        fields.whole(_COUNT)  # a mixture of how many is not said
    return 0


def feed_forward(
    fields: ConfigFields,
    architecture: Architecture,
    *,
    layers: int,
    expert_layers: int | None = None,
) -> FeedForward:
    """Counts all feed-forward layers.

    Args:
        fields: The text model's fields.
        architecture: Its class.
        layers: Layers that have one.
        expert_layers: How many of them have experts; None: the fields say it.

    Raises:
        ModelConfigError: A field is missing or odd.
    """
    count = expert_count(fields)
    if not count:
        dense, kept = _dense(fields, layers)
        return FeedForward(dense=dense, kept=kept)
    mixed = _expert_layers(fields, layers) if expert_layers is None else expert_layers
    dense_layers = layers if architecture.dense_and_experts else layers - mixed
    dense, kept = _dense(fields, dense_layers)
    hidden = fields.whole("hidden_size")
    is_wide = fields.has("num_local_experts") or fields.has("dense_intermediate_size")
    inner = fields.whole(_INNER if is_wide else _INNER[:-1])
    # Experts of some models work in a narrower space, into which tokens are projected.
    width = fields.whole(("moe_latent_size", "routed_expert_hidden_size"), hidden)
    each = _matrices(fields) * width * inner
    each_bias = (2 * inner + hidden) if architecture.expert_bias else 0
    chosen = fields.whole(_CHOSEN)
    if chosen > count:
        fields.refuse(fields.first(*_CHOSEN), f"at most {fields.first(*_COUNT)}, {count}")
    shared = _shared(fields, architecture, inner)
    projected = 2 * hidden * width if width != hidden else 0
    router = count * (hidden + (1 if architecture.expert_bias or _has_bias(fields) else 0))
    return FeedForward(
        dense=dense,
        shared=mixed * (shared + projected),
        experts=mixed * count * (each + each_bias),
        chosen=mixed * chosen * (each + each_bias),
        kept=kept + mixed * router,
        expert_layers=mixed,
    )


def _has_bias(fields: ConfigFields) -> bool:
    # Balances the load without a loss; it is a part of the checkpoint. DeepSeek's classes and those
    # derived from them have it always.
    return fields.has("n_routed_experts") or any(
        fields.values.get(name) is True
        for name in ("use_routing_bias", "use_moe_router_bias", "moe_router_enable_expert_bias")
    )


def _matrices(fields: ConfigFields) -> int:
    """Returns how many a feed-forward layer has: gate, up and down; without a gate two."""
    activation = fields.text(fields.first("mlp_hidden_act", "hidden_act"))
    return 2 if activation == "relu2" else 3


def _dense(fields: ConfigFields, layers: int) -> tuple[int, int]:
    if not layers:
        return 0, 0
    hidden = fields.whole("hidden_size")
    inner = fields.whole(("intermediate_size_mlp", "dense_intermediate_size", "intermediate_size"))
    has_bias = fields.flag("mlp_bias", default=False)
    return (
        layers * _matrices(fields) * hidden * inner,
        layers * (2 * inner + hidden if has_bias else 0),
    )


def _shared(fields: ConfigFields, architecture: Architecture, inner: int) -> int:
    hidden, matrices = fields.whole("hidden_size"), _matrices(fields)
    count = fields.whole(("n_shared_experts", "num_shared_experts"), 0, least=0)
    if fields.has("shared_expert_intermediate_size"):  # Qwen: one, and a gate for it
        width = fields.whole("shared_expert_intermediate_size", least=0)
        return matrices * hidden * width + (hidden if width else 0)
    if fields.has("moe_shared_expert_intermediate_size"):
        width = fields.whole("moe_shared_expert_intermediate_size")
        return max(1, count) * matrices * hidden * width
    named = fields.first("share_expert_dim", "shared_intermediate_size")
    if fields.has(named):
        return matrices * hidden * fields.whole(named, least=0)
    if architecture.shared_expert:
        count = 1
    return count * matrices * hidden * inner


def _expert_layers(fields: ConfigFields, layers: int) -> int:
    """Returns in how many layers there are experts."""
    for name, mark in (("mlp_layer_types", "sparse"), ("moe_layer_freq", 1)):
        value = fields.values.get(name)
        if isinstance(value, list | dict):
            return sum(each == mark for each in listed(fields, name, layers) or [])
    if fields.has("interleave_moe_layer_step"):
        return layers // fields.whole("interleave_moe_layer_step")
    first = fields.whole(
        ("first_k_dense_replace", "num_dense_layers", "dense_mlp_idx", "moe_layer_start_index"),
        0,
        least=0,
    )
    every = fields.whole(("decoder_sparse_step", "moe_layer_freq"), 1)
    dense = {
        layer
        for layer in fields.items("mlp_only_layers") or []
        if isinstance(layer, int) and 0 <= layer < layers and (layer + 1) % every == 0
    }
    return max(0, (layers - min(first, layers)) // every - len(dense))
