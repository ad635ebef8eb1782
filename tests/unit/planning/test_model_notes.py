"""What the model asks of engine and GPU is said where the stack does not have it."""

from __future__ import annotations

import pytest

from breakeven.cost.notes import (
    CommitUnknown,
    EngineTooOld,
    Note,
    PrecisionNotNative,
    SparseAttentionUnsupported,
)
from breakeven.planning.notes import model_notes
from breakeven.settings.parse import parse

IMAGE = "docker.io/vllm/vllm-openai:v{}@sha256:" + "0" * 64


def notes(model: str, gpu: str = "h100", version: str = "0.24.0") -> list[Note]:
    stack, _ = parse(
        {
            "model": {"name": model},
            "pool": {"gpu": gpu},
            "engine": {"image": IMAGE.format(version)},
        }
    )
    return list(model_notes(stack.models[0]))


def test_an_engine_that_is_older_than_the_model_needs_is_named() -> None:
    old = EngineTooOld(model="kimi-k2.6", needed="0.25.0", stated="0.24.0")
    assert old in notes("kimi-k2.6")
    assert old not in notes("kimi-k2.6", version="0.25.0")


@pytest.mark.parametrize(
    ("model", "gpu", "precisions"),
    [
        ("deepseek-v3.2", "h100", ()),
        ("deepseek-v3.2", "a100-80", ("fp8",)),
        ("minimax-m2.7-nvfp4", "h100", ("nvfp4",)),
        ("minimax-m2.7-nvfp4", "b200", ()),
        ("qwen3.6-27b-nvfp4", "a100-80", ("fp8", "nvfp4")),
        ("gpt-oss-120b", "h100", ()),
        ("llama-3.1-8b-instruct", "a100-80", ()),
    ],
)
def test_a_precision_for_which_the_gpu_has_no_units_is_named(
    model: str, gpu: str, precisions: tuple[str, ...]
) -> None:
    lacking = [note for note in notes(model, gpu) if isinstance(note, PrecisionNotNative)]
    assert lacking == ([PrecisionNotNative(gpu=gpu, precisions=precisions)] if precisions else [])


def test_a_gpu_without_kernels_for_sparse_attention_is_named() -> None:
    missing = SparseAttentionUnsupported(model="deepseek-v3.2", gpu="rtx-pro-6000")
    assert missing in notes("deepseek-v3.2", "rtx-pro-6000")
    assert not any(
        isinstance(note, SparseAttentionUnsupported)
        for note in (*notes("deepseek-v3.2", "h200"), *notes("minimax-m2.7", "rtx-pro-6000"))
    )


def test_a_commit_that_is_not_known_is_named() -> None:
    assert CommitUnknown("zai-org/GLM-5.1") in notes("glm-5.1")
    assert notes("deepseek-v3.2") == []
    assert notes("llama-3.1-8b-instruct") == []
