"""What a GPU's vendor or a part of a GPU cannot do is refused, each with its way out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.catalog.engines import deployed_release
from breakeven.settings.files import with_settings
from breakeven.settings.parse import parse

ROCM = "docker.io/vllm/vllm-openai-rocm:v0.31.0@sha256:" + "0" * 64
AMD: Mapping[str, object] = {
    "pool.kind": "existing",
    "pool.gpu": "mi300x",
    "pool.nodeLabels": {"feature.node.kubernetes.io/amd-gpu": "true"},
    "engine.image": ROCM,
}
MIG: Mapping[str, object] = {
    "pool.kind": "existing",
    "pool.gpu": "h100/1g.10gb",
    "pool.gpusPerNode": 56,
}


CPU: Mapping[str, object] = {
    "model.name": "qwen2.5-0.5b-instruct",
    "pool.kind": "existing",
    "pool.gpu": "cpu",
    "pool.nodeLabels": {"kubernetes.io/os": "linux"},
    "engine.image": deployed_release().images["cpu"].reference,
    "monitoring.gpuMetrics": False,
}


def problems_of(values: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    _, problems = parse(with_settings({}, values))
    return {problem.key: (problem.found, problem.allowed) for problem in problems}


def test_gpus_of_amd_instances_of_mig_and_processors_can_be_used() -> None:
    assert problems_of(AMD) == {}
    assert problems_of(CPU) == {}
    assert problems_of(MIG) == {}


@pytest.mark.parametrize(
    ("base", "changes", "key", "found", "allowed"),
    [
        (AMD, {"engine.image": None}, "engine.image", "built for NVIDIA GPUs", "rocm"),
        (AMD, {"pool.nodeLabels": None}, "pool.nodeLabels", "nvidia.com/gpu.present", "amd-gpu"),
        (
            AMD,
            {"model.name": "gemma-4-31b-it-nvfp4", "model.precision": "nvfp4"},
            "model.precision",
            "no kernels for weights in nvfp4 on mi300x",
            "an NVIDIA GPU",
        ),
        (MIG, {"engine.tensorParallel": 2}, "engine.tensorParallel", "exchange data", "1, or a"),
        (
            MIG,
            {"pool.kind": "karpenter-aws", "pool.instanceTypes": ["p5.48xlarge"]},
            "pool.kind",
            "nvidia.com/mig-1g.10gb",
            "existing",
        ),
        (CPU, {"engine.image": None}, "engine.image", "built for NVIDIA GPUs", "-openai-cpu:"),
        (CPU, {"pool.nodeLabels": None}, "pool.nodeLabels", "nvidia.com/gpu.present", "/os: "),
        (CPU, {"pool.kind": "karpenter-aws"}, "pool.kind", "nodes with GPUs", "existing"),
        (CPU, {"pool.gpusPerNode": 2}, "pool.gpusPerNode", "serve one replica", "1"),
        (CPU, {"engine.tensorParallel": 2}, "engine.tensorParallel", "serve one replica", "1"),
        (CPU, {"monitoring.gpuMetrics": True}, "monitoring.gpuMetrics", "not there", "false"),
        (
            CPU,
            {"model.name": "llama-3.1-8b-instruct", "model.precision": "fp8"},
            "model.precision",
            "no kernels for weights in fp8 on cpu",
            "bf16",
        ),
        (MIG, {"pool.gpu": "h100"}, "pool.gpusPerNode", "56 whole GPUs", "1 to 16"),
        (MIG, {"pool.gpu": "h100/1g.11gb"}, "pool.gpu", "h100/1g.11gb", "h100/1g.10gb"),
    ],
)
def test_what_they_can_not_do_is_refused(
    base: Mapping[str, object], changes: Mapping[str, object], key: str, found: str, allowed: str
) -> None:
    problem = problems_of({**base, **changes})[key]
    assert found in problem[0]
    assert allowed in problem[1]
