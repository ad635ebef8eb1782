"""Compares the capacity of replicas with what AISimulate says of the same ones.

    python -m bench.second_opinion [PYTHON] [--cases N] [--table]

PYTHON is that of an environment with AISimulate (`make bench-second-opinion` makes one). Its answers
are kept in `aisimulate_answers.jsonl`, so that a run continues where the last one stopped; without
PYTHON only kept answers are compared. AISimulate (PyPI aisimulate, Apache-2.0) is a second opinion
and not part of the product. Neither is right by itself: both are models of measurements. So both
are also compared with published measurements that our roofline was not fitted to.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import (
    ModelDoesNotFitError,
    ReplicaCapacity,
    replica_capacity,
)
from breakeven.cost.capacity.roofline import Engine, RequestShape, StepTimes, step_times
from calibration.fit import samples

VERSION = "0.13.0.dev202610270000000085"
"""Build of AISimulate. 0.13.0 and 0.12.1 on PyPI are placeholders that download from elsewhere."""

ANSWERS = Path(__file__).with_name("aisimulate_answers.jsonl")
_ASKED = Path(__file__).with_name("aisimulate_estimates.py")

MODELS = {
    "llama-3.1-8b-instruct": "meta-llama/Meta-Llama-3.1-8B",
    "qwen3-8b": "Qwen/Qwen3-8B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "llama-3.1-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "llama-3.3-70b-instruct": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
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
    "qwen3-235b-a22b": (8,),
}
"""GPUs per replica of the models that the grid has."""

LENGTHS = ((1024, 256), (256, 1024), (6000, 400))
REQUESTS = 32
LARGE_DIFFERENCE = 0.30
"""Difference above which docs/second-opinion.md explains it."""


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
                concurrency_limit=self.requests,
                measured_output_tokens_per_second=None,
            )
        except ModelDoesNotFitError:
            return None
        return found if found.concurrent_requests == self.requests else None

    def steps(self) -> StepTimes:
        """Returns our roofline's times."""
        engine = Engine(
            model=find_model(self.model),
            precision=self.precision,
            gpu=find_gpu(self.gpu),
            tensor_parallel=self.gpus,
        )
        request = RequestShape(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        return step_times(engine, request, self.requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case with both estimates.

    Attributes:
        case: It.
        ours: Output tokens per second by the roofline alone, also where a measurement is known.
        band: Half width of our band in percent; None where it is unknown.
        theirs: Output tokens per second by AISimulate.
        our_step: Seconds of a step of single tokens.
        their_step: Seconds per token; prompts that run at the same time are counted in it.
        measured: Output tokens per second as published; None for a case of the grid.
    """

    case: Case
    ours: float
    band: float | None
    theirs: float
    our_step: float
    their_step: float
    measured: float | None = None

    @property
    def difference(self) -> float:
        """Ours less theirs, as a share of theirs."""
        return self.ours / self.theirs - 1


def grid() -> Iterator[Case]:
    """Yields replicas that hold their requests."""
    for model, gpu, (input_tokens, output_tokens) in product(PARALLEL, SYSTEMS, LENGTHS):
        precision = "bf16" if "a100-80" in gpu or model == "llama-3.1-8b-instruct" else "fp8"
        for gpus in PARALLEL[model]:
            case = Case(
                model=model,
                gpu=gpu,
                gpus=gpus,
                precision=precision,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
            )
            if case.served() is not None:
                yield case


def measured() -> Iterator[tuple[Case, float, str]]:
    """Yields published measurements that our roofline was not fitted to, with their source."""
    for sample in samples():
        point = sample.point
        known = (
            point.model in MODELS and point.gpu in SYSTEMS and point.precision in ("bf16", "fp8")
        )
        if sample.held_out and known and sample.concurrency == point.concurrency:
            case = Case(
                model=point.model,
                gpu=point.gpu,
                gpus=point.tensor_parallel,
                precision=point.precision,
                input_tokens=point.input_tokens,
                output_tokens=point.output_tokens,
                requests=point.concurrency,
            )
            yield case, point.output_tokens_per_second, point.source


def kept() -> dict[str, Mapping[str, object]]:
    """Returns the answers of this build that are known, by what was asked."""
    lines = ANSWERS.read_text(encoding="utf-8").splitlines() if ANSWERS.exists() else []
    entries = [json.loads(line) for line in lines]
    return {_key(each["asked"]): each for each in entries if each["version"] == VERSION}


def ask(python: str, cases: Iterable[Case], limit: int) -> None:
    """Asks what is not known yet, and keeps each answer at once.

    Args:
        python: The interpreter that has AISimulate.
        cases: All cases.
        limit: Cases that are asked about at most.
    """
    known = kept()
    asked = [case.asked() for case in cases]
    new = list({_key(each): each for each in asked if _key(each) not in known}.values())[:limit]
    if not new:
        return
    with (
        subprocess.Popen(
            [python, str(_ASKED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
        ANSWERS.open("a", encoding="utf-8") as file,
    ):
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("no pipes to AISimulate")
        for number, each in enumerate(new, 1):
            began = time.monotonic()
            print(json.dumps(each), file=process.stdin, flush=True)
            answer = process.stdout.readline()
            if not answer:
                raise SystemExit("AISimulate ended without an answer; is it installed there?")
            entry = {"version": VERSION, "asked": each, "answer": json.loads(answer)}
            print(json.dumps(entry), file=file, flush=True)
            seconds = time.monotonic() - began
            print(f"{number}/{len(new)} {seconds:.1f} s {_key(each)} {answer[:80]}", flush=True)
        process.stdin.close()


def compared(case: Case, published: float | None = None) -> Compared | None:
    """Returns both estimates of a case; None where AISimulate has none."""
    found = kept().get(_key(case.asked()))
    answer = found["answer"] if found is not None else None
    served = case.served()
    if not isinstance(answer, Mapping) or "error" in answer or served is None:
        return None
    steps = case.steps()
    # With a published measurement of the same engine a capacity would only repeat it.
    by_roofline = steps.output_tokens_per_second(case.requests, case.output_tokens)
    return Compared(
        case=case,
        ours=served.output_tokens_per_second if published is None else by_roofline,
        band=None if served.is_unknown else served.error_percent,
        theirs=float(str(answer["outputTokensPerSecond"])),
        our_step=steps.decode,
        their_step=float(str(answer["tokenSeconds"])),
        measured=published,
    )


def refused() -> Iterator[tuple[Case, str]]:
    """Yields cases of the grid that AISimulate can't answer, and why."""
    known = kept()
    for case in grid():
        answer = known.get(_key(case.asked()), {}).get("answer")
        if isinstance(answer, Mapping) and "error" in answer:
            yield case, str(answer["error"])


def _key(asked: object) -> str:
    return json.dumps(asked, sort_keys=True)


def main() -> None:
    """Ask what is not known, then print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", nargs="?", help="interpreter that has AISimulate")
    parser.add_argument("--cases", type=int, default=10**6, help="most new cases to ask about")
    options = parser.parse_args()
    of_measured = list(measured())
    if options.python:
        cases = [*grid(), *(case for case, _, _ in of_measured)]
        ask(options.python, cases, options.cases)


if __name__ == "__main__":
    main()
