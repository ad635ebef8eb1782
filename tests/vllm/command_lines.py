"""Command lines of vLLM that Breakeven renders: of stacks, techniques, and pooling models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from breakeven.manifests.serving.engine import engine_flags
from breakeven.manifests.serving.timings import timings_of
from tests.pooling_stacks import EMBEDDING, RERANKING, reading
from tests.recording import STACKS, stack_of
from tests.vllm.rendered import for_cpus

_COMMIT = "c" * 40
_MIXTURE = {
    "model.name": "qwen3-30b-a3b",
    "model.revision": "a" * 40,
    "pool.gpu": "h100",
    "pool.gpusPerNode": 2,
    "engine.tensorParallel": 2,
    "engine.expertParallel": True,
}
TECHNIQUES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "fp8 cache": ("aws-prod", {"engine.kvCachePrecision": "fp8"}),
    "requests in flight": ("aws-prod", {"engine.maxRequests": 300}),
    "offload": ("aws-prod", {"engine.kvOffloadGibibytes": 8}),
    "connector": (
        "aws-prod",
        {"engine.args": {"kv-transfer-config": {"kv_connector": "X", "kv_role": "kv_both"}}},
    ),
    "n-grams": ("aws-prod", {"engine.speculation.method": "ngram"}),
    "draft": (
        "aws-prod",
        {
            "engine.speculation.method": "draft",
            "engine.speculation.model": f"meta-llama/Llama-3.2-3B-Instruct@{_COMMIT}",
        },
    ),
    "head": (
        "aws-prod",
        {
            "engine.speculation.method": "eagle3",
            "engine.speculation.model": f"a/b@{_COMMIT}",
            "engine.speculation.draftParameters": "4.0e8",
        },
    ),
    "experts": ("aws-prod", _MIXTURE),
    "attention by request": ("aws-prod", {**_MIXTURE, "engine.dataParallelAttention": True}),
    "images": ("gke", {"model.imagesPerRequest": 2}),
}


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yields names and words of all command lines: of stacks, techniques, and other runners."""
    cases = {
        **{stack: (stack, {}) for stack in STACKS},
        **TECHNIQUES,
        **{model: ("dev", reading(model)) for model in (*EMBEDDING, *RERANKING)},
    }
    for name, (stack, changes) in cases.items():
        for settings in stack_of(stack, **changes).models:
            for worker in (False, True):
                flags = engine_flags(settings, timings_of(settings), worker=worker)
                yield f"{name}, {settings.model.facts.name}", flags


def only_on_gpus() -> dict[str, str]:
    """Returns the rendered flags that no CPU build validates, and what its tests do with them."""
    found = {}
    for _, words in command_lines():
        for word in words[1:]:
            local = for_cpus(word)
            if local != word:
                name, _, value = local.partition("=")
                found[word.partition("=")[0]] = f"set to {value}" if name else "left out"
    return dict(sorted(found.items()))
