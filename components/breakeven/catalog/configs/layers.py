"""Kinds of a model's layers, and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from breakeven.catalog.configs.architectures import Architecture
from breakeven.catalog.configs.fields import ConfigFields

_NAMES: Mapping[str, str] = {
    "full_attention": "full",
    "attention": "full",
    "hybrid": "full",
    "sliding_attention": "sliding",
    "chunked_attention": "chunked",
    "linear_attention": "linear",
    "linear": "linear",
    "mamba": "mamba",
    "mamba2": "mamba",
    "moe": "experts",
    "mlp": "dense",
}
_LETTERS: Mapping[str, str] = {"M": "mamba", "*": "full", "-": "dense", "E": "experts"}

_MOST_LAYERS = 10_000


def listed(fields: ConfigFields, name: str, size: int) -> list[object] | None:
    """Returns a list with one entry a layer, or None if there is none.

    This project's own data shortens such a list to a mapping from entry to number of layers.

    Raises:
        ModelConfigError: It is something else.
    """
    value = fields.values.get(name)
    if isinstance(value, dict):
        counts = [n for n in value.values() if type(n) is int and 0 <= n <= _MOST_LAYERS]
        if len(counts) != len(value):
            fields.refuse(name, "a list, or a number of layers for each kind")
        # Numbers are keys of JSON as texts.
        return [
            int(kind) if kind.isdigit() else kind
            for kind, count in value.items()
            for _ in range(count)
        ]
    items = fields.items(name)
    if items is not None and len(items) > size:
        items = items[:size]  # layers of a draft head come last
    return items


def layer_count(fields: ConfigFields) -> int:
    """Returns the number of layers.

    Raises:
        ModelConfigError: It is missing.
    """
    if not fields.has("num_hidden_layers"):
        for name in ("layers_block_type", "layer_types"):
            value = fields.values.get(name)
            if isinstance(value, list) and value:
                return len(value)
            if isinstance(value, dict):
                return len(listed(fields, name, _MOST_LAYERS) or [])
    return fields.whole(("num_hidden_layers", "n_layer", "num_layers"))


def layer_kinds(fields: ConfigFields, architecture: Architecture) -> Counter[str]:
    """Counts layers by kind: full, sliding, chunked, linear, mamba, dense, experts.

    "dense" and "experts" are layers of their own only where a layer is either a mixer or a
    feed-forward layer, as in Nemotron-H.

    Raises:
        ModelConfigError: The fields contradict each other.
    """
    layers = layer_count(fields)
    pattern = fields.text("hybrid_override_pattern")
    if pattern:
        kinds = Counter(_LETTERS.get(letter, letter) for letter in pattern)
        if not kinds.keys() <= set(_LETTERS.values()) or len(pattern) != layers:
            fields.refuse("hybrid_override_pattern", f"one of M, *, - and E for {layers} layers")
        return kinds
    for name in ("layers_block_type", "layer_types"):
        types = listed(fields, name, layers)
        if types is not None:
            return _named(fields, architecture, name, types)
    return Counter(_by_rule(fields, architecture, layers))


def _named(
    fields: ConfigFields, architecture: Architecture, name: str, types: list[object]
) -> Counter[str]:
    layers = layer_count(fields)
    kinds = Counter(_NAMES.get(str(kind), "full") for kind in types)
    known = all(isinstance(kind, str) for kind in types)
    if not known or len(types) != layers:
        fields.refuse(name, f"a kind such as full_attention for each of {layers} layers")
    if kinds["sliding"] and not window_of(fields, architecture.sliding_window or 0):
        fields.refuse("sliding_window", f"the window's tokens, since {name} has sliding_attention")
    return kinds


def window_of(fields: ConfigFields, default: int = 0) -> int:
    """Returns the tokens of a sliding window; 0 if no field states it."""
    return fields.whole(("sliding_window", "sliding_window_size"), default, least=0)


def _by_rule(fields: ConfigFields, architecture: Architecture, layers: int) -> dict[str, int]:
    linear = fields.values.get("linear_attn_config")
    if isinstance(linear, dict) and isinstance(linear.get("full_attn_layers"), list):
        full = min(layers, len(linear["full_attn_layers"]))
        return {"full": full, "linear": layers - full}
    for name, other in (("hybrid_layer_pattern", "sliding"), ("attn_type_list", "linear")):
        marks = listed(fields, name, layers)
        if marks is not None:
            marked = sum(mark == (1 if other == "sliding" else 0) for mark in marks)
            return {"full": layers - marked, other: marked}
    local = fields.items("local_layer_ids")
    if local is not None:
        return {"full": max(0, layers - len(local)), "sliding": min(layers, len(local))}
    if fields.has("full_attention_interval") or fields.has("layer_group_size"):
        full = layers // fields.whole(("full_attention_interval", "layer_group_size"))
        return {"full": full, "linear": layers - full}
    if fields.has("attention_chunk_size") and architecture.windows == "fourth":
        full = layers // 4
        return {"full": full, "chunked": layers - full}
    sliding = _sliding_by_rule(fields, architecture, layers)
    return {"full": layers - sliding, "sliding": sliding}


def _sliding_by_rule(fields: ConfigFields, architecture: Architecture, layers: int) -> int:
    windows = architecture.windows
    if windows in {"none", "fourth"} or (
        windows == "late" and not fields.flag("use_sliding_window", default=False)
    ):
        return 0
    if not window_of(fields, architecture.sliding_window or 0):
        return 0
    match windows:
        case "every second":
            return (layers + 1) // 2
        case "pattern":
            return layers - layers // fields.whole("sliding_window_pattern", 6)
        case "late":
            return max(0, layers - fields.whole("max_window_layers", least=0))
        case _:
            return layers
