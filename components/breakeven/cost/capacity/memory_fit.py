"""What fits into the memory of a replica: weights, reserve, and requests in the key-value cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from breakeven.catalog.gpus import RESERVED_GIB_PER_GPU, load_gpus
from breakeven.catalog.models import ModelFacts
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine, copied_bytes

GIB = 2**30

RESERVED_GIB_FOR_COLLECTIVES = 0.38
"""NCCL's buffers of a GPU where several share a model: 392 MiB (aiconfigurator, four GPUs)."""

_NOT_SUGGESTED = "int8"  # takes what fp8 takes
_SUGGESTIONS = 4

HELD_WITHOUT_CACHE = 2.0**20
"""Stands for any number of requests: an encoder keeps nothing of them."""

MOST_NODES = 8
"""Nodes of a replica, as `engine.pipelineParallel` allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFit:
    """How a replica's memory is divided; all its GPUs together.

    Attributes:
        weights_gib: Weights.
        reserved_gib: Activations, CUDA graphs, context and NCCL.
        key_value_gib: What is left for the key-value cache; negative where weights do not fit.
        key_value_tokens: Tokens that it holds, in requests of `max_model_length`.
        concurrent_requests: Requests of the mean length that it holds at their full length.
        max_model_length: Longest request that the engine admits, in tokens.
    """

    weights_gib: float
    reserved_gib: float
    key_value_gib: float
    key_value_tokens: int
    concurrent_requests: int
    max_model_length: int

    @property
    def fits(self) -> bool:
        """Whether a request of `max_model_length` fits; otherwise vLLM will not start."""
        return self.key_value_tokens >= self.max_model_length


def memory_fit(
    engine: Engine,
    *,
    gpu_memory_utilization: float,
    max_model_length: int,
    request_tokens: int,
    adapter_bytes: int = 0,
) -> MemoryFit:
    """Divides the memory of a replica as vLLM does: weights, reserve, the rest for the cache.

    The cache holds bf16 whatever the precision of the weights, vLLM's default, unless the engine
    has another; a draft's weights and cache are added to the model's. Prefixes that requests
    share are counted for each of them.

    Args:
        engine: Model and GPUs of the replica.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        max_model_length: Longest request, input and output, in tokens.
        request_tokens: Mean request, input and output, in tokens.
        adapter_bytes: What LoRA adapters take on all GPUs together; counted with the weights.

    Raises:
        ValueError: The precision is not known.
    """
    cache = cache_gib(engine, gpu_memory_utilization) - adapter_bytes / GIB
    longest = requests_held(engine, cache, max_model_length)
    return MemoryFit(
        weights_gib=_weights_gib(engine) + adapter_bytes / GIB,
        reserved_gib=_reserved_gib(engine),
        key_value_gib=cache,
        key_value_tokens=math.floor(longest * max_model_length),
        concurrent_requests=math.floor(requests_held(engine, cache, request_tokens)),
        max_model_length=max_model_length,
    )


def smallest_fits(
    model: ModelFacts,
    *,
    max_model_length: int,
    gpu_memory_utilization: float = 0.9,
    suits: Callable[[Engine], bool] | None = None,
) -> tuple[str, ...]:
    """Suggests what would hold the model, such as "bf16 on 1 x l40s"; least memory first.

    Left out is what needs no less memory than another suggestion, and neither fewer GPUs nor fewer
    bits given up. Several nodes, such as "bf16 on 2 nodes of 8 x h200", only where one holds none.

    Args:
        model: The model.
        max_model_length: Longest request, input and output, in tokens.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        suits: What else an engine has to meet.
    """
    gpus = [gpu for gpu in load_gpus().values() if gpu.is_suggested]
    precisions = [name for name in model.precisions if name != _NOT_SUGGESTED]
    options = sorted(
        (parallel * gpu.memory_gib, rank, parallel, order, gpu.name)
        for order, gpu in enumerate(gpus)
        for rank, precision in enumerate(precisions)
        for parallel in TENSOR_PARALLEL
        for engine in [Engine(model=model, precision=precision, gpu=gpu, tensor_parallel=parallel)]
        if model.splits_over(parallel)
        and model.runs_on(gpu, precision)
        and memory_fit(
            engine,
            gpu_memory_utilization=gpu_memory_utilization,
            max_model_length=max_model_length,
            request_tokens=max_model_length,
        ).fits
        and (suits is None or suits(engine))
    )
    if not options and suits is not None:
        return ()
    if not options:
        return _several_nodes(model, precisions, max_model_length, gpu_memory_utilization)
    chosen: list[tuple[int, int, str]] = []
    for _, rank, parallel, _, name in options:
        if not any(better <= rank and fewer <= parallel for better, fewer, _ in chosen):
            chosen.append((rank, parallel, name))
    return tuple(f"{precisions[rank]} on {parallel} x {name}" for rank, parallel, name in chosen)[
        :_SUGGESTIONS
    ]


def _several_nodes(
    model: ModelFacts, precisions: Sequence[str], max_model_length: int, utilization: float
) -> tuple[str, ...]:
    parallel = TENSOR_PARALLEL[-1]
    found = sorted(
        (nodes, gpu.memory_gib, rank, gpu.name)
        for gpu in load_gpus().values()
        for rank, precision in enumerate(precisions)
        for nodes in range(2, MOST_NODES + 1)
        if gpu.is_suggested
        and model.splits_over(parallel)
        and model.runs_on(gpu, precision)
        and memory_fit(
            Engine(
                model=model,
                precision=precision,
                gpu=gpu,
                tensor_parallel=parallel,
                pipeline_parallel=nodes,
            ),
            gpu_memory_utilization=utilization,
            max_model_length=max_model_length,
            request_tokens=max_model_length,
        ).fits
    )
    return tuple(
        f"{precisions[rank]} on {nodes} nodes of {parallel} x {name}"
        for nodes, _, rank, name in found
    )[:1]


def _weights_gib(engine: Engine) -> float:
    speculation = engine.techniques.speculation
    draft = speculation.draft_bytes if speculation else 0
    own = engine.model.weight_bytes(engine.precision) + copied_bytes(engine)
    return (own + draft) / GIB


def _reserved_gib(engine: Engine) -> float:
    collectives = RESERVED_GIB_FOR_COLLECTIVES if engine.gpus > 1 else 0.0
    return engine.gpus * (RESERVED_GIB_PER_GPU + collectives)


def cache_gib(engine: Engine, utilization: float) -> float:
    """Returns what a share of the GPUs' memory leaves for the cache; negative where none."""
    usable = engine.gpus * engine.gpu.memory_gib * utilization
    return usable - _weights_gib(engine) - _reserved_gib(engine)


def requests_held(engine: Engine, cache: float, tokens: float) -> float:
    """Returns how many requests of a length in tokens a cache in GiB holds; 0 or more."""
    techniques = engine.techniques
    held = engine.model.request_bytes(
        tokens, tensor_parallel=engine.cache_parallel, bytes_per_element=techniques.cache_bytes
    )
    if techniques.speculation:
        numbers = techniques.speculation.draft_cache_numbers
        held += tokens * numbers * (techniques.cache_bytes or engine.model.cache_element_bytes)
    if not held:
        return HELD_WITHOUT_CACHE if cache > 0 else 0.0
    return max(0.0, cache * GIB / held)
