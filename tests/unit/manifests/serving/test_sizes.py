"""Room for weights and replicas."""

from __future__ import annotations

import pytest

from breakeven.catalog.gpus import RESERVED_GIB_PER_GPU
from breakeven.manifests.serving.sizes import (
    engine_cpus,
    engine_memory_gib,
    processor_cache_bytes,
    shared_memory_gib,
    weights_volume_gib,
)
from breakeven.settings.stack import Settings
from tests.recording import STACKS, settings_of


def on_eight_gpus(tensor_parallel: int) -> Settings:
    """One replica of a small model whose heads eight GPUs can share."""
    return settings_of(
        "on-prem",
        **{
            "model.name": "llama-3.1-8b-instruct",
            "engine.tensorParallel": tensor_parallel,
            "replicas.min": 1,
            "replicas.max": 1,
        },
    )


@pytest.mark.parametrize("stack", STACKS)
def test_the_volume_holds_the_files_with_room_to_spare(stack: str) -> None:
    settings = settings_of(stack)
    size = weights_volume_gib(settings) * 2**30
    needed = settings.model.repository_bytes * 1.1 + 5e9
    assert needed <= size < needed + 2**30


def test_fp8_needs_room_for_the_bf16_files_that_it_is_made_from() -> None:
    settings = settings_of("article")
    assert settings.model.precision == "fp8"
    assert settings.model.repository_bytes == settings.model.facts.weight_bytes("bf16")


@pytest.mark.parametrize(
    ("replicas", "parallel", "cpus", "memory_gib"),
    [
        # Machine types with the least beside their GPUs, from the clouds' lists: g6.xlarge and
        # g2-standard-4 (1 GPU, 4 CPUs, 16 GiB), g6.12xlarge (4, 48, 192), g6.48xlarge (8, 192,
        # 768), Azure's NC48ads A100 v4 (2, 48, 440).
        (1, 1, 4, 16),
        (4, 1, 48, 192),
        (1, 4, 48, 192),
        (8, 1, 192, 768),
        (1, 8, 192, 768),
        (2, 1, 48, 440),
    ],
)
def test_whole_replicas_fill_the_smallest_machines(
    replicas: int, parallel: int, cpus: int, memory_gib: int
) -> None:
    settings = on_eight_gpus(parallel)
    # Half a CPU and 15% of the memory stay with Kubernetes and the pods of every node.
    assert replicas * engine_cpus(settings) <= cpus - 0.5
    assert replicas * engine_memory_gib(settings) <= memory_gib * 0.85


@pytest.mark.parametrize("parallel", [1, 2, 4, 8])
def test_each_gpu_has_shared_memory_for_its_peers(parallel: int) -> None:
    # The container runtime's own 64 MiB are too little as soon as GPUs talk.
    settings = on_eight_gpus(parallel)
    assert shared_memory_gib(settings) >= parallel
    assert engine_memory_gib(settings) > shared_memory_gib(settings)


def test_processors_hold_weights_and_cache_within_what_the_pod_asks_for() -> None:
    settings = settings_of("laptop")
    taken = settings.model.repository_bytes + processor_cache_bytes(settings)
    assert taken + RESERVED_GIB_PER_GPU * 2**30 <= engine_memory_gib(settings) * 2**30
    assert processor_cache_bytes(settings) > settings.model.facts.request_bytes(
        settings.model.max_length
    )
