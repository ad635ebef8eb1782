"""Encoders of images or audio, and the projector to the language model: their parameters."""

from __future__ import annotations

from breakeven.catalog.configs.fields import ConfigFields

_LAYERS = ("num_hidden_layers", "vt_num_hidden_layers", "depth")


def tower_parameters(whole: ConfigFields, text_hidden_size: int) -> int:
    """Returns the parameters of a model's encoders, to within a few percent; 0 without one.

    Embedding of patches and positions, the layers, and a projector of two matrices. Towers differ
    in small things; they are 1 % to 2 % of a model.

    Raises:
        ModelConfigError: A field is missing or odd.
    """
    return sum(
        _tower(whole.part(name), text_hidden_size)
        for name in ("vision_config", "audio_config")
        if isinstance(whole.values.get(name), dict) and _has_layers(whole.part(name))
    )


def _has_layers(fields: ConfigFields) -> bool:
    # Others embed images or sound by a matrix alone.
    return any(fields.has(name) for name in _LAYERS)


def _tower(fields: ConfigFields, text_hidden_size: int) -> int:
    hidden = fields.whole(("hidden_size", "vt_hidden_size"))
    inner = fields.whole(("intermediate_size", "vt_intermediate_size"), 4 * hidden)
    layers = fields.whole(_LAYERS)
    width = fields.whole("qkv_hidden_size", hidden)
    gated = fields.text("model_type").startswith(("gemma4", "pixtral"))
    attention = 4 * hidden * width + (0 if gated else 4 * hidden)
    feed_forward = 3 * hidden * inner if gated else 2 * hidden * inner + inner + hidden
    total = layers * (attention + feed_forward + 4 * hidden)
    patch = fields.whole("patch_size", 14)
    frames = fields.whole("temporal_patch_size", 1)
    total += 3 * patch**2 * frames * hidden + hidden + _positions(fields, patch) * hidden
    return total + 2 * hidden + _projector(fields, hidden, text_hidden_size)


def _positions(fields: ConfigFields, patch: int) -> int:
    if fields.has("num_position_embeddings"):
        return fields.whole("num_position_embeddings")
    if fields.has("position_embedding_size"):  # one table for rows, one for columns
        return 2 * fields.whole("position_embedding_size")
    if fields.has("init_pos_emb_height"):
        return fields.whole("init_pos_emb_height") * fields.whole("init_pos_emb_width")
    return (fields.whole("image_size") // patch) ** 2 if fields.has("image_size") else 0


def _projector(fields: ConfigFields, hidden: int, text_hidden_size: int) -> int:
    merged = fields.whole("spatial_merge_size", 1)
    kernel = fields.items("merge_kernel_size")
    if kernel and type(kernel[0]) is int:
        merged = kernel[0]
    width = hidden * merged**2
    if merged == 1:
        return hidden * text_hidden_size + hidden
    # A merger after the last layer, and in Qwen3-VL one after each of a few other layers.
    mergers = 1 + len(fields.items("deepstack_visual_indexes") or [])
    return mergers * (width * width + width * text_hidden_size + width + text_hidden_size)
