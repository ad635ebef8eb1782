"""vLLM flags for techniques that make a replica cheaper, and for its kinds of input."""

from __future__ import annotations

import json

from breakeven.manifests.serving.guard import CHAT_TEMPLATE, has_template
from breakeven.settings.checks.pooling import POOLER
from breakeven.settings.stack import Settings


def technique_flags(settings: Settings, weights: str) -> list[str]:
    """Returns the flags of the techniques that a stack states.

    Args:
        settings: Of the model.
        weights: Where the folders of weights are, one named after each commit.
    """
    engine, flags = settings.engine, []
    if engine.max_requests is not None:
        flags.append(f"--max-num-seqs={engine.max_requests}")
    if engine.kv_cache_precision != "auto":
        flags.append(f"--kv-cache-dtype={engine.kv_cache_precision}")
    if engine.kv_offload_gibibytes:
        flags += [
            f"--kv-offloading-size={engine.kv_offload_gibibytes}",
            "--kv-offloading-backend=native",
        ]
    if engine.expert_parallel:
        flags.append("--enable-expert-parallel")
    if engine.speculation.is_on:
        draft = engine.speculation.model
        path = f"{weights}/{draft.revision}" if draft else ""
        flags.append(f"--speculative-config={engine.speculation.config(path)}")
    return flags


def media_flags(settings: Settings) -> list[str]:
    """Returns what a vision model accepts: images within a request, but none from URLs.

    vLLM fetches from every host unless it is given a list; the name of the list cannot exist
    (RFC 2606).
    """
    if not settings.model.facts.parts.tower:
        return []
    limits = {"audio": 0, "image": settings.model.images_per_request, "video": 0}
    return [
        f"--limit-mm-per-prompt={json.dumps(limits)}",
        "--allowed-media-domains",
        "none.invalid",
    ]


def parallel_flags(settings: Settings) -> list[str]:
    """Returns how a node's GPUs share the model."""
    gpus = settings.engine.tensor_parallel
    if settings.engine.data_parallel_attention:
        return ["--tensor-parallel-size=1", f"--data-parallel-size={gpus}"]
    return [f"--tensor-parallel-size={gpus}"]


def pooling_flags(settings: Settings) -> list[str]:
    """Returns how vLLM serves an embedding or ranking model; empty for a generating one.

    Where the same weights may serve for both, such as those of a decoder that embeds, only the
    runner tells which is meant.
    """
    facts = settings.model.facts
    if facts.generates:
        return []
    flags = ["--runner=pooling"]
    if facts.overrides:
        flags.append(f"--hf-overrides={json.dumps(facts.overrides)}")
    if has_template(settings):
        flags.append(f"--chat-template={CHAT_TEMPLATE}")
    if facts.pooling and POOLER not in settings.engine.args:
        # The repository states it in a folder of its own, which is not fetched.
        flags.append(f"--{POOLER}={json.dumps({'pooling_type': facts.pooling})}")
    return flags
