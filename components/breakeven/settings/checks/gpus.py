"""What a GPU's vendor, or a part of a GPU, cannot do."""

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
    """Yields settings that ask for what a GPU's vendor, or a part of a GPU, cannot do."""
    pool, engine, gpu = settings.pool, settings.engine, settings.pool.gpu
    if gpu.vendor == "amd":
        yield from _other_vendor(settings, "ROCm")
    if gpu.is_cpu:
        yield from _cpu(settings)
    if gpu.profile and engine.tensor_parallel > 1:
        yield Conflict(
            "engine.tensorParallel",
            f"{engine.tensor_parallel} of {gpu.name}, which cannot exchange data",
            "Allowed: 1, or a larger fraction of a GPU",
            ("pool.gpu",),
        )
    if pool.gpus_per_node > _MOST_GPUS and not gpu.profile:
        yield Conflict(
            "pool.gpusPerNode",
            f"{pool.gpus_per_node} whole GPUs",
            f"Allowed: 1 to {_MOST_GPUS}; more only as fractions of a GPU",
            ("pool.gpu",),
        )
    if pool.kind.can_grow and (gpu.vendor == "amd" or gpu.profile):
        yield Conflict(
            "pool.kind",
            f"{pool.kind.name} does not know {gpu.device_resource} before a node exists",
            f"Allowed with {gpu.name}: existing, if the device plugin offers it{_grows(gpu)}",
            ("pool.gpu",),
        )
    model = settings.model
    stored = model.facts.stored_precisions(model.precision)
    for precision in [each for each in stored if not gpu.supports(each)]:
        yield Conflict(
            "model.precision",
            f"vLLM has no kernels for weights in {precision} on {gpu.name}",
            f"Allowed: {_instead(gpu, precision)}",
            ("pool.gpu",),
        )


def _instead(gpu: Gpu, precision: str) -> str:
    if gpu.is_cpu:
        return "bf16, or a checkpoint in int8 or int4"
    other = "a newer GPU, from a100 on" if precision == "mxfp4" else "an NVIDIA GPU"
    return f"another precision or checkpoint, or {other}"


def _grows(gpu: Gpu) -> str:
    """Says which GPU works on a growing pool instead: the whole one, or a machine with a part."""
    if gpu.vendor == "amd":
        return ""
    rented = [each.name for each in load_gpus().values() if each.part_of == gpu.part_of]
    return f"; with {' or '.join([gpu.part_of, *rented])} every pool kind"


def _cpu(settings: Settings) -> Iterator[Conflict]:
    """Yields what needs a GPU on nodes that have none."""
    pool, needs = settings.pool, ("pool.gpu",)
    if pool.kind.can_grow:
        yield Conflict(
            "pool.kind",
            f"{pool.kind.name} starts nodes with GPUs, and pool.gpu is cpu",
            "Allowed with cpu: existing",
            needs,
        )
    one = {
        "engine.tensorParallel": settings.engine.tensor_parallel,
        "engine.pipelineParallel": settings.engine.pipeline_parallel,
        "pool.gpusPerNode": pool.gpus_per_node,
    }
    for key, value in one.items():
        if value > 1:
            found = f"{value}, and pool.gpu is cpu: the processors of a node serve one replica"
            yield Conflict(key, found, "Allowed: 1", needs)
    if settings.monitoring.enabled and settings.monitoring.gpu_metrics:
        yield Conflict(
            "monitoring.gpuMetrics",
            "true, and pool.gpu is cpu: nothing measures GPUs that are not there",
            "Allowed: false",
            needs,
        )
    yield from _other_vendor(settings, "processors")


def _other_vendor(settings: Settings, build: str) -> Iterator[Conflict]:
    """Yields what is NVIDIA's where something else computes.

    Args:
        settings: The stack's settings.
        build: What the engine has to be built for, in words.
    """
    gpu, image = settings.pool.gpu, settings.engine.image
    release = deployed_release()
    known = release.images.get(gpu.vendor)
    if _CUDA_IMAGE.search(image):
        yield Conflict(
            "engine.image",
            f"{image.partition('@')[0]} is built for NVIDIA GPUs, but pool.gpu is {gpu.name}",
            f"Allowed: vLLM built for {build}"
            + (f", such as {known.reference}" if known else f", of release {release}"),
            ("pool.gpu",),
        )
    wrong = [name for name in settings.pool.node_labels if name.startswith("nvidia.com/")]
    if wrong and not settings.pool.kind.can_grow:
        yield Conflict(
            "pool.nodeLabels",
            f"found {', '.join(wrong)}, but pool.gpu is {gpu.name}",
            "Allowed: labels of nodes with it, such as "
            + ", ".join(f'{name}: "{value}"' for name, value in gpu.node_labels.items()),
            ("pool.gpu",),
        )
