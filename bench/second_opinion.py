"""Compares the capacity of replicas with what AISimulate says of the same ones.

    python -m venv AIS
    AIS/bin/pip install --only-binary=:all: aisimulate==0.13.0.dev202610270000000085
    .venv/bin/python bench/second_opinion.py AIS/bin/python

AISimulate (PyPI aisimulate, Apache-2.0) is a second opinion in an environment of its own, and not
part of the product. Neither is right by itself: both are models of measurements. Its releases
0.13.0 and 0.12.1 on PyPI are placeholders that download from elsewhere; the named build is whole.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import (
    ModelDoesNotFitError,
    ReplicaCapacity,
    replica_capacity,
)
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times

_ASKED = Path(__file__).with_name("aisimulate_estimates.py")

MODELS = {
    "llama-3.1-8b-instruct": "meta-llama/Meta-Llama-3.1-8B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "llama-3.1-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
    "qwen3-235b-a22b": "Qwen/Qwen3-235B-A22B",
}
"""Presets, and the same model as AISimulate carries its config.json."""

SYSTEMS = {
    "h100": "h100_sxm",
    "h200": "h200_sxm",
    "b200": "b200_sxm",
    "a100-80": "a100_sxm",
    "l40s": "l40s",
}
"""GPUs, and the systems that AISimulate has measured tables of for vLLM."""

PARALLEL = {
    "llama-3.1-8b-instruct": (1,),
    "qwen3-32b": (1, 2),
    "llama-3.1-70b-instruct": (4,),
    "qwen3-30b-a3b": (1, 2),
    "qwen3-235b-a22b": (8,),
}
LENGTHS = ((1024, 256), (256, 1024), (6000, 400))
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

    @property
    def group(self) -> str:
        """What cases that differ alike have in common: GPU, kind of model, one GPU or several."""
        kind = "mixture" if find_model(self.model).is_mixture_of_experts else "dense"
        several = "several GPUs" if self.gpus > 1 else "one GPU"
        return f"{self.gpu}, {kind}, {several}"

    def asked(self) -> dict[str, object]:
        """Returns the case as AISimulate is asked about it."""
        return {
            "model": MODELS[self.model],
            "system": SYSTEMS[self.gpu],
            "input": self.input_tokens,
            "output": self.output_tokens,
            "requests": REQUESTS,
            "gpus": self.gpus,
            "gemm": "fp8" if self.precision == "fp8" else "",
            "experts": find_model(self.model).is_mixture_of_experts,
        }

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
                concurrency_limit=REQUESTS,
                measured_output_tokens_per_second=None,
            )
        except ModelDoesNotFitError:
            return None
        return found if found.concurrent_requests == REQUESTS else None

    def token_seconds(self) -> float:
        """Returns our roofline's time of a step of single tokens."""
        engine = Engine(
            model=find_model(self.model),
            precision=self.precision,
            gpu=find_gpu(self.gpu),
            tensor_parallel=self.gpus,
        )
        request = RequestShape(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        return step_times(engine, request, REQUESTS).decode


def cases() -> Iterator[tuple[Case, ReplicaCapacity]]:
    """Yields replicas that hold their requests, with our capacity."""
    for model, gpu, lengths in product(MODELS, SYSTEMS, LENGTHS):
        precision = "bf16" if gpu == "a100-80" else "fp8"
        if model == "llama-3.1-8b-instruct":
            precision = "bf16"
        for gpus in PARALLEL[model]:
            case = Case(
                model=model,
                gpu=gpu,
                gpus=gpus,
                precision=precision,
                input_tokens=lengths[0],
                output_tokens=lengths[1],
            )
            served = case.served()
            if served is not None:
                yield case, served


def answers(python: str, asked: Sequence[Case]) -> list[dict[str, object]]:
    """Returns what AISimulate says, by the Python of its environment."""
    finished = subprocess.run(
        [python, str(_ASKED)],
        input=json.dumps([case.asked() for case in asked]),
        capture_output=True,
        text=True,
        check=True,
        timeout=7200,
    )
    found: list[dict[str, object]] = json.loads(finished.stdout)
    return found


def main() -> None:
    """Print every case, and the ratio by group."""
    found = list(cases())
    said = answers(sys.argv[1], [case for case, _ in found])
    ratios: dict[str, list[float]] = defaultdict(list)
    print("model, GPUs, precision, in/out: ours (band) / AISimulate, output tokens a second")
    for (case, served), answer in zip(found, said, strict=True):
        name = (
            f"{case.model}, {case.gpus} x {case.gpu}, {case.precision}, "
            f"{case.input_tokens}/{case.output_tokens}"
        )
        if "error" in answer:
            print(f"{name}: no answer: {answer['error']}")
            continue
        other = float(str(answer["outputTokensPerSecond"]))
        ratio = served.output_tokens_per_second / other
        ratios[case.group].append(ratio)
        band = "unknown" if served.is_unknown else f"{served.error_percent:.0f}%"
        ours = served.output_tokens_per_second
        print(
            f"{name}: {ours:,.0f} ({band}) / {other:,.0f} = {ratio:.2f}; "
            f"steps {case.token_seconds() * 1000:.1f} / "
            f"{float(str(answer['tokenSeconds'])) * 1000:.1f} ms a token"
        )
    print("\nratio by group: cases, median, range")
    for group, some in sorted(ratios.items()):
        print(f"{group}: {len(some)}, {_median(some):.2f}, {min(some):.2f} to {max(some):.2f}")
    every = [ratio for some in ratios.values() for ratio in some]
    print(f"all: {len(every)}, {_median(every):.2f}, {min(every):.2f} to {max(every):.2f}")


def _median(ratios: Sequence[float]) -> float:
    return math.exp(statistics.median(map(math.log, ratios)))


if __name__ == "__main__":
    main()
