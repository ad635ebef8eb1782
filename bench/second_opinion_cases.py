"""Replicas whose capacity is compared with AISimulate: a grid, and published measurements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import (
    ModelDoesNotFitError,
    ReplicaCapacity,
    class_of,
    replica_capacity,
)
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from calibration.fit import samples

MODELS = {
    "llama-3.1-8b-instruct": "meta-llama/Meta-Llama-3.1-8B",
    "qwen3-8b": "Qwen/Qwen3-8B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "llama-3.1-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "llama-3.3-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
    "qwen3-30b-a3b-fp8": "Qwen/Qwen3-30B-A3B",
    "qwen3-235b-a22b": "Qwen/Qwen3-235B-A22B",
}
"""Presets, and a model of the same shape whose config.json AISimulate has."""

SYSTEMS = {
    "h100": "h100_sxm",
    "h200": "h200_sxm",
    "b200": "b200_sxm",
    "a100-80": "a100_sxm",
    "l40s": "l40s",
}
"""GPUs, and the systems for which AISimulate has measured tables of vLLM."""

PARALLEL = {
    "llama-3.1-8b-instruct": (1,),
    "qwen3-32b": (1, 2),
    "llama-3.1-70b-instruct": (4,),
    "qwen3-30b-a3b": (1, 2),
    "qwen3-30b-a3b-fp8": (1,),
    "qwen3-235b-a22b": (8,),
}
"""GPUs per replica of the models that the grid has."""

LENGTHS = ((1024, 256), (256, 1024), (6000, 400))
BY_BLOCKS = frozenset({"qwen3-30b-a3b-fp8"})
"""Presets of the grid whose weights are quantized by blocks in their repository."""

MEASURED_BY_BLOCKS = frozenset({"qwen3-235b-a22b"})
"""Models whose fp8 measurements were made with such weights."""

PRECISIONS = frozenset({"bf16", "fp8"})
REQUESTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A replica and its requests."""

    model: str
    gpu: str
    gpus: int
    precision: str
    input_tokens: int
    output_tokens: int
    requests: int = REQUESTS
    by_blocks: bool = False
    """Whether its fp8 weights are those of Qwen's own repositories, with a scale per block."""

    @property
    def kind(self) -> str:
        """The kind of its model."""
        return "MoE" if find_model(self.model).is_mixture_of_experts else "dense"

    @property
    def group(self) -> str:
        """What cases that differ alike have in common: GPU, kind of model, one GPU or several."""
        return f"{self.gpu}, {self.kind}, {'several GPUs' if self.gpus > 1 else 'one GPU'}"

    def asked(self) -> dict[str, object]:
        """Returns the case as AISimulate is asked about it."""
        return {
            "model": MODELS[self.model],
            "system": SYSTEMS[self.gpu],
            "input": self.input_tokens,
            "output": self.output_tokens,
            "requests": self.requests,
            "gpus": self.gpus,
            "gemm": self._quantization(),
            "experts": find_model(self.model).is_mixture_of_experts,
        }

    def _quantization(self) -> str:
        """Returns how AISimulate calls the precision; empty for that of the model."""
        if self.precision != "fp8":
            return ""
        return "fp8_block" if self.by_blocks else "fp8"  # per tensor, as vLLM does while loading

    def served(self) -> ReplicaCapacity | None:
        """Returns our capacity; None where the model does not fit, or fewer requests do."""
        try:
            found = replica_capacity(
                find_model(self.model),
                precision=self.precision,
                gpu=find_gpu(self.gpu),
                tensor_parallel=self.gpus,
                gpu_memory_utilization=0.9,
                max_model_length=self.input_tokens + self.output_tokens,
                input_tokens=self.input_tokens,
                output_tokens=self.output_tokens,
                cached_input_share=0.0,
                concurrency_limit=self.requests,
                measured_output_tokens_per_second=None,
            )
        except ModelDoesNotFitError:
            return None
        return found if found.concurrent_requests == self.requests else None

    def by_roofline(self) -> float:
        """Returns output tokens per second by the roofline alone, even where one was measured."""
        engine = Engine(
            model=find_model(self.model),
            precision=self.precision,
            gpu=find_gpu(self.gpu),
            tensor_parallel=self.gpus,
        )
        request = RequestShape(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        times = step_times(engine, request, self.requests)
        found = class_of(engine)
        factor = found.factor if found is not None else 1.0
        return factor * times.output_tokens_per_second(self.requests, self.output_tokens)


def grid() -> Iterator[Case]:
    """Yields replicas that hold their requests."""
    for model, gpu, (input_tokens, output_tokens) in product(PARALLEL, SYSTEMS, LENGTHS):
        precision = "bf16" if gpu == "a100-80" or model == "llama-3.1-8b-instruct" else "fp8"
        if model in BY_BLOCKS and precision != "fp8":
            continue
        for gpus in PARALLEL[model]:
            case = Case(
                model=model,
                gpu=gpu,
                gpus=gpus,
                precision=precision,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                by_blocks=model in BY_BLOCKS,
            )
            if case.served() is not None:
                yield case


def measured() -> Iterator[tuple[Case, float]]:
    """Yields published measurements that our roofline was not fitted to."""
    for sample in samples():
        point = sample.point
        known = point.model in MODELS and point.gpu in SYSTEMS and point.precision in PRECISIONS
        if sample.held_out and known and sample.concurrency == point.concurrency:
            case = Case(
                model=point.model,
                gpu=point.gpu,
                gpus=point.tensor_parallel,
                precision=point.precision,
                input_tokens=point.input_tokens,
                output_tokens=point.output_tokens,
                requests=point.concurrency,
                by_blocks=point.model in MEASURED_BY_BLOCKS,
            )
            yield case, point.output_tokens_per_second
