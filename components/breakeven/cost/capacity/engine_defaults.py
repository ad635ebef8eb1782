"""What vLLM takes where no flag says otherwise, by the GPU."""

from __future__ import annotations

from breakeven.catalog.gpus import Gpu

_LARGE_GIB = 70  # from this memory on vLLM takes the larger budget, but not on A100
_LARGE_BUDGET = 8192
_SMALL_BUDGET = 2048
_LARGE_BATCH, _SMALL_BATCH = 1024, 256


def default_batched_tokens(gpu: Gpu) -> int:
    """Returns vLLM's default of --max-num-batched-tokens for its API server.

    Source: `EngineArgs.get_batch_defaults` of vLLM 0.24 and 0.31, which tells A100 from newer GPUs
    of the same memory; here by the missing fp8 units.
    """
    return _LARGE_BUDGET if _is_large(gpu) else _SMALL_BUDGET


def default_requests(gpu: Gpu) -> int:
    """Returns vLLM's default of --max-num-seqs for its API server; see `default_batched_tokens`."""
    return _LARGE_BATCH if _is_large(gpu) else _SMALL_BATCH


def _is_large(gpu: Gpu) -> bool:
    return gpu.memory_gib >= _LARGE_GIB and gpu.fp8_tflops is not None
