"""Every flag that a stack renders, as vLLM's own parser reads it: also those that only GPUs use."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bootstrap.vllm import Vllm
from breakeven.manifests.serving.engine import engine_flags
from breakeven.manifests.serving.timings import timings_of
from tests.pooling_stacks import EMBEDDING, RERANKING, reading
from tests.recording import STACKS, stack_of

_SCRIPT = Path(__file__).with_name("parse_flags.py")

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
                yield f"{name}, {settings.model.facts.name}", ["/weights/x", *flags]


def test_the_parser_of_this_version_takes_every_flag_that_is_rendered(
    vllm: Vllm, tmp_path: Path
) -> None:
    lines = list(command_lines())
    assert parsed(vllm, tmp_path, [words for _, words in lines]) == [""] * len(lines)


@pytest.mark.parametrize("word", ["--no-such-flag", "--max-model-len=many", "--runner=other"])
def test_the_parser_refuses_what_vllm_does_not_have(vllm: Vllm, tmp_path: Path, word: str) -> None:
    # So the test above can fail.
    [problem] = parsed(vllm, tmp_path, [["/weights/x", word]])
    assert word.partition("=")[0] in problem


def parsed(vllm: Vllm, folder: Path, lines: list[list[str]]) -> list[str]:
    """Returns what vLLM's parser says of command lines."""
    answer = subprocess.run(
        [vllm.python, _SCRIPT],
        input=json.dumps(lines),
        env={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(answer.stdout.splitlines()[-1])
    return found
