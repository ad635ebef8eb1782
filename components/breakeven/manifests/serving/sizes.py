"""Resources of a replica and its weights: volume, GPUs, CPU, memory."""

from __future__ import annotations

import math

from breakeven.catalog.gpus import RESERVED_GIB_PER_GPU
from breakeven.settings.stack import Settings

_GIB = 2**30


def weights_volume_gib(settings: Settings) -> int:
    """Returns the size of the weights volume, in whole GiB.

    A tenth above the files, for the file system and for layers that quantised repositories keep in
    full precision, and 5 GB for tokenizer, configuration and a file in flight.
    """
    files = settings.model.repository_bytes + settings.engine.speculation.draft_bytes
    return math.ceil((files * 1.1 + 5e9) / _GIB)


def adapters_volume_gib(settings: Settings) -> int:
    """Returns the size of the adapters' volume, in whole GiB.

    Twice their size, because many are stored in 32 bits, and 1 GB for tokenizers that some bring.
    """
    return math.ceil((2 * settings.model.adapter_bytes + 1e9) / _GIB)


def engine_cpus(settings: Settings) -> int:
    """Returns the CPUs that a replica requests.

    One for the API server, one for the engine core, whose loop never sleeps, and one for each GPU's
    worker: the fewest that vLLM recommends (its optimization guide, "CPU Resources for GPU
    Deployments"). It means physical cores; asking for as many CPUs of a hyper-threaded machine is
    half of that, so that a replica still fits the smallest one-GPU machines of the clouds, which
    have 4 CPUs, in addition to the cluster's own pods. Larger machines leave the rest to it:
    there is no CPU limit.
    """
    return 2 + settings.engine.tensor_parallel


def engine_memory_gib(settings: Settings) -> int:
    """Returns the memory that a replica requests, in GiB.

    6 GiB for API server, engine core and compilation, 3 GiB for each GPU's worker with its CUDA
    context and pinned buffers, and the shared memory, which counts as the pod's. The weights need
    none: they are mapped from files and copied to the GPU. One replica of one GPU asks for 10 GiB
    and fits the smallest one-GPU machines (16 GiB, of which Kubernetes leaves about 13.8). On
    processors all of it is the node's memory, weights and key-value cache included.
    """
    if settings.pool.gpu.is_cpu:
        return math.ceil(settings.pool.gpu.memory_gib)
    return 6 + 3 * settings.engine.tensor_parallel + shared_memory_gib(settings)


def processor_cache_bytes(settings: Settings) -> int:
    """Returns the memory left for the key-value cache after weights and vLLM's own; at least 0.

    As the estimate divides the memory (`cost.capacity.memory_fit`), which refuses a model that does
    not fit.
    """
    usable = settings.pool.gpu.memory_gib * float(settings.engine.gpu_memory_utilization)
    left = (usable - RESERVED_GIB_PER_GPU) * _GIB - settings.model.repository_bytes
    return max(0, math.floor(left))


def shared_memory_gib(settings: Settings) -> int:
    """Returns the size of /dev/shm, in GiB: 1 for each GPU.

    NCCL's buffers between two GPUs are 4 MiB in each of up to 32 channels (its defaults); with
    seven peers that is 0.9 GiB. The container runtime's own /dev/shm has 64 MiB. vLLM keeps what it
    offloads of the key-value cache there, too (`SharedOffloadRegion` of vLLM 0.31).
    """
    return settings.engine.tensor_parallel + settings.engine.kv_offload_gibibytes


def replica_gpus(settings: Settings) -> int:
    """Returns the GPUs of a replica, on all of its nodes."""
    return settings.engine.tensor_parallel * settings.engine.pipeline_parallel
