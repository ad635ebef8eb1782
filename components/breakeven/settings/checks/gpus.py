"""What a GPU's vendor, or a part of a GPU, can't do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from breakeven.catalog.engines import deployed_release
from breakeven.catalog.gpus import Gpu, load_gpus
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings

_MOST_GPUS = 16
"""Whole GPUs of a node; parts of them may be eight times as many."""

_CUDA_IMAGE = re.compile(r"/vllm-openai[:@]")
"""vLLM's own image for GPUs of NVIDIA, in whichever registry; that for ROCm has another name."""


def gpu_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields settings that ask for what a GPU's vendor, or a part of a GPU, can't do."""
    pool, engine, gpu = settings.pool, settings.engine, settings.pool.gpu
    if gpu.vendor == "amd":
        yield from _amd(settings)
    if gpu.profile and engine.tensor_parallel > 1:
        yield Conflict(
            "engine.tensorParallel",
            f"{engine.tensor_parallel} parts {gpu.name}, which can't exchange data",
            "Allowed: 1, or a larger part of a GPU",
            ("pool.gpu",),
        )
    if pool.gpus_per_node > _MOST_GPUS and not gpu.profile:
        yield Conflict(
            "pool.gpusPerNode",
            f"{pool.gpus_per_node} whole GPUs",
            f"Allowed: 1 to {_MOST_GPUS}; more only as parts of a GPU",
            ("pool.gpu",),
        )
    if pool.kind.can_grow and (gpu.vendor == "amd" or gpu.profile):
        yield Conflict(
            "pool.kind",
            f"{pool.kind.name} does not know {gpu.device_resource} before a node is there",
            f"Allowed with {gpu.name}: existing, where the device plugin offers it{_grows(gpu)}",
            ("pool.gpu",),
        )
    model = settings.model
    stored = model.facts.stored_precisions(model.precision)
    for precision in [each for each in stored if not gpu.supports(each)]:
        yield Conflict(
            "model.precision",
            f"vLLM has no kernels for weights in {precision} on {gpu.name}",
            "Allowed: another precision or checkpoint, or "
            + ("a newer GPU, from a100 on" if precision == "mxfp4" else "a GPU of NVIDIA"),
            ("pool.gpu",),
        )


def _grows(gpu: Gpu) -> str:
    """Says which GPU works on a growing pool instead: the whole one, or a machine with a part."""
    if gpu.vendor == "amd":
        return ""
    rented = [each.name for each in load_gpus().values() if each.part_of == gpu.part_of]
    return f"; with {' or '.join([gpu.part_of, *rented])} every pool kind"


def _amd(settings: Settings) -> Iterator[Conflict]:
    """Yields what is NVIDIA's on nodes with GPUs of AMD."""
    gpu, image = settings.pool.gpu, settings.engine.image
    release = deployed_release()
    known = release.images.get("amd")
    if _CUDA_IMAGE.search(image):
        yield Conflict(
            "engine.image",
            f"{image.partition('@')[0]} is built for GPUs of NVIDIA, and pool.gpu is {gpu.name}",
            "Allowed: vLLM built for ROCm, such as "
            + (known.reference if known else f"vllm/vllm-openai-rocm:v{release}@sha256:DIGEST"),
            ("pool.gpu",),
        )
    wrong = [name for name in settings.pool.node_labels if name.startswith("nvidia.com/")]
    if wrong and not settings.pool.kind.can_grow:
        yield Conflict(
            "pool.nodeLabels",
            f"found {', '.join(wrong)}, and pool.gpu is {gpu.name}",
            'Allowed: labels of nodes with it, such as feature.node.kubernetes.io/amd-gpu: "true"',
            ("pool.gpu",),
        )
