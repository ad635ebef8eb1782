"""How a repository stores its weights: the method, and the precision of each part."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from breakeven.catalog.configs.fields import ConfigFields, ModelConfigError
from breakeven.catalog.model_parts import FULL_PRECISION, MIXED, Checkpoint, Parts

QUANTIZED_PARTS = ("mixer", "feed_forward", "shared_experts", "experts")
"""What methods quantize unless they say otherwise; the rest stays in bf16."""

_ALGORITHMS: Mapping[str, str] = {
    "FP8": "fp8",
    "FP8_PB_WO": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8",
    "MXFP8": "fp8",
    "NVFP4": "nvfp4",
    "NVFP4_AWQ": "nvfp4",
    "W4A16_NVFP4": "nvfp4",
    "W4A8_NVFP4_FP8": "nvfp4",
    "MXFP4": "mxfp4",
    "W4A8_MXFP4_FP8": "mxfp4",
    "W4A16_AWQ": "int4",
    "W4A8_AWQ": "int4",
    "W8A8_SQ_PER_CHANNEL": "int8",
    "INT8_SQ": "int8",
}
"""Names of ModelOpt."""

_METHODS: Mapping[str, str] = {
    "fp8": "fp8",
    "fbgemm_fp8": "fp8",
    "mxfp4": "mxfp4",
    "gpt_oss_mxfp4": "mxfp4",
    "awq": "int4",
    "awq_marlin": "int4",
    "gptq": "int4",
    "gptq_marlin": "int4",
    "auto-round": "int4",
    "bitsandbytes": "int4",
}

_WORDS: Mapping[str, tuple[str, ...]] = {
    "shared_experts": ("shared_expert", "shared_mlp", "shared_head"),
    "experts": ("experts", "block_sparse_moe.w"),
    "mixer": ("self_attn", "attn", "attention", "mixer.in_proj", "mixer.out_proj", "_proj_qkv"),
    "feed_forward": ("mlp", "feed_forward", "ffn"),
}
"""What names of modules contain, by part; the first that matches counts."""


def checkpoint_of(
    fields: ConfigFields, parts: Parts, separate: Mapping[str, object] | None = None
) -> Checkpoint:
    """Returns how the weights are stored.

    Args:
        fields: The whole config.json; text models within it may state it too.
        parts: Parameters by part; a part that the model lacks has no precision.
        separate: Content of a hf_quant_config.json of the same repository; it counts where the
            config.json states nothing.

    Raises:
        ModelConfigError: The quantization is not an object.
    """
    stated = _stated(fields, separate)
    if not stated:
        return Checkpoint(is_float32=fields.text(fields.first("dtype", "torch_dtype")) == "float32")
    method = _text(stated, "quant_method") or (
        "modelopt" if "quant_algo" in stated else "compressed-tensors"
    )
    usual = _usual(stated, method)
    if not usual and not isinstance(stated.get("quantized_layers"), dict):
        return Checkpoint(method=method)
    listed = _listed(stated)
    # Where some modules of an fp8 checkpoint were quantized further, the list of what was left
    # alone means: left in fp8.
    ignored = set() if listed and usual else _ignored(stated)
    of_parts: dict[str, str] = {}
    for part in QUANTIZED_PARTS:
        if not getattr(parts, part):
            continue
        precision = listed.get(part) or ("" if part in ignored else usual)
        if precision:
            of_parts[part] = precision
    experts = _text(fields.values, "expert_dtype")
    if experts == "fp4" and "experts" in of_parts and of_parts["experts"] == "fp8":
        of_parts["experts"] = "mxfp4"
    cache = _cache(stated) if method.startswith("modelopt") else ""
    found = set(of_parts.values())
    precision = found.pop() if len(found) == 1 else MIXED if found else FULL_PRECISION
    return Checkpoint(precision=precision, method=method, parts=of_parts, cache=cache)


def read_separate(path: Path) -> Mapping[str, object] | None:
    """Returns what a hf_quant_config.json holds; None if there is no such file.

    Raises:
        ModelConfigError: It cannot be read, or holds no JSON object.
    """
    if not path.is_file():
        return None
    return ConfigFields.read(path).values


def _stated(fields: ConfigFields, separate: Mapping[str, object] | None) -> Mapping[str, object]:
    inner = fields.values.get("text_config")
    places = [fields.values, inner if isinstance(inner, dict) else {}]
    for values in places:
        for name in ("quantization_config", "quantization", "compression_config"):
            found = values.get(name)
            if found is not None and not isinstance(found, dict):
                fields.refuse(name, "an object")
            if found:
                return found
    if separate is None:
        return {}
    found = separate.get("quantization", separate)
    if not isinstance(found, dict):
        msg = f"hf_quant_config.json: quantization is {json.dumps(found)[:60]}. Allowed: an object"
        raise ModelConfigError(msg)
    return found


def _usual(stated: Mapping[str, object], method: str) -> str:
    """Returns the precision of modules for which nothing else is said; empty if unknown."""
    algorithm = _text(stated, "quant_algo").upper()
    if algorithm in _ALGORITHMS:
        return _ALGORITHMS[algorithm]
    if algorithm == "MIXED_PRECISION":
        return _METHODS.get(method, "")
    if method in _METHODS:
        usual = _METHODS[method]
        bits = stated.get("bits", stated.get("w_bit"))
        return "int8" if bits == _EIGHT and usual == "int4" else usual
    schemes = list(_schemes(stated))
    return schemes[0] if schemes else ""


def _schemes(stated: Mapping[str, object]) -> Iterator[str]:
    """Yields the precision of each group of compressed-tensors or Quark."""
    groups = stated.get("config_groups")
    plain = stated.get("global_quant_config")
    for group in [*(groups.values() if isinstance(groups, dict) else []), plain]:
        weights = group.get("weights", group.get("weight")) if isinstance(group, dict) else None
        if not isinstance(weights, dict):
            continue
        name = _text(weights, "dtype")
        is_eight = "4" not in name and weights.get("num_bits", _EIGHT) == _EIGHT
        is_float = _text(weights, "type") == "float" or name.startswith("fp")
        if is_eight:
            yield "fp8" if is_float else "int8"
        elif is_float:
            yield "mxfp4" if weights.get("group_size") == _GROUP_OF_MXFP4 else "nvfp4"
        else:
            yield "int4"


def _listed(stated: Mapping[str, object]) -> dict[str, str]:
    """Returns the precision of most modules of each part, where they are listed one by one."""
    modules = stated.get("quantized_layers")
    votes: dict[str, Counter[str]] = {}
    for name, settings in modules.items() if isinstance(modules, dict) else ():
        algorithm = _text(settings, "quant_algo") if isinstance(settings, dict) else ""
        part = _part(str(name))
        if part and algorithm.upper() in _ALGORITHMS:
            votes.setdefault(part, Counter())[_ALGORITHMS[algorithm.upper()]] += 1
    return {part: counts.most_common(1)[0][0] for part, counts in votes.items()}


def _ignored(stated: Mapping[str, object]) -> set[str]:
    """Returns the parts of which modules are excluded."""
    names = [
        str(name)
        for key in ("ignore", "modules_to_not_convert", "exclude_modules", "exclude")
        for name in _items(stated, key)
    ]
    found: Counter[str] = Counter()
    for name in names:
        part = _part(name)
        if part and not _is_small(name):
            found[part] += 1
    # One layer of many that stays as it is changes nothing that matters here.
    return {part for part, count in found.items() if count > _FEW or _is_pattern(names, part)}


_FEW = 4
_EIGHT = 8  # bits
_GROUP_OF_MXFP4 = 32


def _is_pattern(names: list[str], part: str) -> bool:
    return any(
        _part(name) == part and not any(letter.isdigit() for letter in name) for name in names
    )


def _is_small(name: str) -> bool:
    last = name.rstrip("*.").rpartition(".")[2]
    return (
        "norm" in last
        or last.endswith("gate")
        or last in {"router", "conv1d", "bias", "e_score_correction_bias", "indexer"}
        or "indexer" in name
        or any(word in name for word in ("vision", "visual", "mtp", "lm_head", "embed"))
    )


def _part(name: str) -> str:
    return next((part for part, words in _WORDS.items() if any(word in name for word in words)), "")


def _cache(stated: Mapping[str, object]) -> str:
    """Returns the precision that ModelOpt states for the cache; vLLM takes it from there."""
    for name in ("kv_cache_quant_algo", "kv_cache_scheme"):
        value = stated.get(name)
        if value == "FP8" or (isinstance(value, dict) and value.get("num_bits") == _EIGHT):
            return "fp8"
    return ""


def _items(stated: Mapping[str, object], name: str) -> list[object]:
    value = stated.get(name)
    return value if isinstance(value, list) else []


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
