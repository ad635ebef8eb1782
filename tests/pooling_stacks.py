"""Stacks whose model embeds texts or scores pairs of them."""

from __future__ import annotations

EMBEDDING = ("qwen3-embedding-0.6b", "bge-m3")
RERANKING = ("bge-reranker-v2-m3", "qwen3-reranker-0.6b")

_APIS = {
    "bge-m3": "ovhcloud/bge-m3",
    "bge-reranker-v2-m3": "cloudflare/@cf/baai/bge-reranker-base",
    "qwen3-embedding-0.6b": "openai/text-embedding-3-small",
    "qwen3-embedding-8b": "openai/text-embedding-3-large",
    "qwen3-reranker-0.6b": "cloudflare/@cf/baai/bge-reranker-base",
}


def reading(model: str) -> dict[str, object]:
    """Returns what makes of the stack dev one of such a model, with 500 million tokens a day."""
    stated = {
        "model.name": model,
        "weights.storageClass": "efs",
        "weights.accessMode": "ReadWriteMany",
        "replicas.max": 4,
        "traffic.tokensPerDay": 500_000_000,
        "traffic.inputTokens": 300,
        "api.inUse": _APIS[model],
    }
    # No commit with safetensors is known.
    return {**stated, "model.revision": "1" * 40} if model == "bge-m3" else stated
