"""Fit the constants of the roofline to the published measurements, and judge them.

Reads `catalog/data/throughput.json`, writes `catalog/data/calibration.json`. Of each engine's
measurements in steady state every third, in the order of a hash, is held out: it judges, and no
constant, factor or band has seen it. Measurements of whole runs (kind "burst") are left out, as are
those whose model does not fit the memory as it was recorded.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.calibration import (
    TRANSFERRED,
    Calibration,
    kind_of,
    link_of,
)
from breakeven.cost.capacity.measurements import MeasuredPoint, load_points
from breakeven.cost.capacity.memory_fit import cache_gib, requests_held
from breakeven.cost.capacity.roofline import Engine, step_times

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "components" / "breakeven" / "catalog" / "data" / "calibration.json"

UTILIZATION = 0.9  # vLLM's default; publications seldom state it
WIDEST_BAND = 35.0
NARROWEST_BAND = 10.0
OWN_CLASS = 10  # measurements from which on an architecture is a class of its own
FEWEST = 3  # measurements below which a class stays unknown
PRIOR_WEIGHT = 0.15  # of a start value: keeps a constant near it that no measurement decides
LARGEST_DAMPING = 1e6
ENOUGH = 1e-4  # of the sum of squares; a step that gains less ends the fit
OUTLIER = 0.3  # log error from which on a measurement counts less

KINDS = frozenset({"dense", "mixture", "latent mixture"})

GENERATION = {"memory": 0.8, "compute": 0.6, "request": 1e-5}
STARTS: Mapping[str, float] = {
    "step": 1e-3,
    "layer": 2e-6,
    "request_per_gpu": 2e-6,
    **{
        f"generations.{name}.{key}": value
        for name in ("hopper", "blackwell", "ada-consumer", "cdna3")
        for key, value in GENERATION.items()
    },
    "generations.blackwell.mxfp4_compute": 1.5,
    "generations.blackwell.nvfp4_compute": 0.8,
    **{
        f"kinds.{name}.{key}": value
        for name in ("mixture", "latent mixture")
        for key, value in {"memory": 0.95, "compute": 0.8, "layer": 2e-5}.items()
    },
    "links.NVLink.first": 4e-5,
    "links.NVLink.further": 5e-6,
    "links.PCIe.first": 2e-4,
    "links.PCIe.further": 5e-5,
    "links.PCIe.efficiency": 0.3,
}
FIXED: Mapping[str, float] = {
    "kinds.dense.memory": 1.0,
    "kinds.dense.compute": 1.0,
    "kinds.dense.layer": 0.0,
    "links.NVLink.efficiency": 0.8,
}


@dataclass(frozen=True)
class Sample:
    """A measurement, the engine that it was made with, and its requests in flight."""

    point: MeasuredPoint
    engine: Engine
    concurrency: int
    held_out: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """Generation, kind of model, and link."""
        gpu = self.engine.gpu
        link = link_of(gpu, self.engine.tensor_parallel)
        return gpu.calibration or TRANSFERRED, kind_of(self.engine.model), link

    def ratio(self, calibration: Calibration) -> float:
        """Returns the roofline over what was measured."""
        times = step_times(self.engine, self.point.request, self.concurrency, calibration)
        predicted = times.output_tokens_per_second(self.concurrency, self.point.output_tokens)
        return predicted / self.point.output_tokens_per_second


def samples() -> list[Sample]:
    """Returns the measurements in steady state, each third of an engine's held out."""
    by_engine: dict[tuple[str, str, str, int], list[Sample]] = defaultdict(list)
    for point in load_points():
        engine = Engine(
            model=find_model(point.model),
            precision=point.precision,
            gpu=find_gpu(point.gpu),
            tensor_parallel=point.tensor_parallel,
        )
        held = requests_held(engine, cache_gib(engine, UTILIZATION), point.request.mean_context)
        if point.kind == "burst" or held < 1:
            continue
        concurrency = min(point.concurrency, math.floor(held))
        key = point.model, point.precision, point.gpu, point.tensor_parallel
        by_engine[key].append(Sample(point, engine, concurrency, held_out=False))
    return [
        replace(sample, held_out=number % 3 == 1)
        for _, group in sorted(by_engine.items())
        for number, sample in enumerate(sorted(group, key=lambda one: digest(one.point)))
    ]


def digest(point: MeasuredPoint) -> str:
    """Returns a number that only the measurement decides."""
    parts = (
        *(point.model, point.precision, point.gpu, point.tensor_parallel, point.input_tokens),
        *(point.output_tokens, point.concurrency, point.engine, point.output_tokens_per_second),
    )
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def nested(values: Mapping[str, float]) -> dict[str, Any]:
    """Returns dotted names as nested objects."""
    found: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        *path, last = name.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = float(f"{value:.4g}")
    return found


def calibration_of(logs: NDArray[np.float64]) -> Calibration:
    """Returns a calibration without classes."""
    fitted = dict(zip(STARTS, np.exp(logs).tolist(), strict=True))
    return Calibration({"constants": nested({**FIXED, **fitted}), "classes": []})


def fit(training: Sequence[Sample]) -> NDArray[np.float64]:
    """Returns the logarithms of the constants that meet the measurements best."""
    start = np.log(np.array(list(STARTS.values())))

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        calibration = calibration_of(logs)
        errors = np.log([sample.ratio(calibration) for sample in training])
        weights = (1 + (errors / OUTLIER) ** 2) ** -0.25
        return np.concatenate([errors * weights, PRIOR_WEIGHT * (logs - start)])

    return least_squares(residuals, start)


def least_squares(
    residuals: Callable[[NDArray[np.float64]], NDArray[np.float64]], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Minimizes a sum of squares (Levenberg-Marquardt, differences for the derivatives)."""
    found, damping, width = start, 1e-2, 1e-3
    errors = residuals(found)
    for _ in range(40):
        slopes = np.array(
            [(residuals(found + width * one) - errors) / width for one in np.eye(len(found))]
        ).T
        before = float(errors @ errors)
        while damping < LARGEST_DAMPING:
            matrix = slopes.T @ slopes + damping * np.eye(len(found))
            step = np.clip(np.linalg.solve(matrix, -slopes.T @ errors), -0.7, 0.7)
            tried = residuals(found + step)
            if tried @ tried < before:
                found, errors, damping = found + step, tried, max(damping / 3, 1e-6)
                break
            damping *= 4
        if before - float(errors @ errors) < ENOUGH:
            return found
    return found


def classes_of(
    training: Sequence[Sample], every: Sequence[Sample], calibration: Calibration
) -> list[dict[str, Any]]:
    """Returns the classes with the factor and the band that the training measurements give them."""
    groups: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)
    counts: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)
    for source, into in ((training, groups), (every, counts)):
        for sample in source:
            generation, kind, link = sample.key
            if generation == TRANSFERRED:
                continue
            into[generation, kind, link].append(sample)
            into[generation, sample.engine.model.architecture, link].append(sample)
    found = [
        entry(key, counts[key], [sample.ratio(calibration) for sample in group])
        for key, group in sorted(groups.items())
        if len(counts[key]) >= (FEWEST if key[1] in KINDS else OWN_CLASS)
    ]
    others = [
        replace(
            sample, engine=replace(sample.engine, gpu=replace(sample.engine.gpu, calibration=""))
        )
        for sample in training
        if sample.key[1:] == ("dense", "one GPU") and sample.key[0] != "hopper"
    ]
    key = (TRANSFERRED, "dense", "one GPU")
    ratios = [sample.ratio(calibration) for sample in others]
    return [
        *found,
        {**entry(key, others, ratios), "factor": 1.0, "band_percent": WIDEST_BAND},
    ]


def entry(
    key: tuple[str, str, str],
    every: Sequence[Sample],
    ratios: Sequence[float],
) -> dict[str, Any]:
    """Returns one class."""
    number = len(ratios)
    # Few measurements move the roofline little.
    factor = math.exp(-float(np.mean(np.log(ratios))) * number / (number + 3))
    off = [abs(1 / (ratio * factor) - 1) * 100 for ratio in ratios]
    widest = 1.1 * float(np.quantile(off, 0.95))
    band = min(WIDEST_BAND, max(NARROWEST_BAND, 5 * math.ceil(widest / 5)))
    generation, kind, link = key
    architectures = {sample.engine.model.architecture for sample in every}
    if len(every) < OWN_CLASS or (kind in KINDS and len(architectures) == 1):
        band = WIDEST_BAND  # too few to tell, or nothing but one architecture speaks for the kind
    return {
        "generation": generation,
        "kind": kind,
        "link": link,
        "points": len(every),
        "factor": round(factor, 3),
        "band_percent": float(band),
        "gpus": sorted({sample.point.gpu for sample in every}),
        "models": sorted({sample.point.model for sample in every}),
        "engines": sorted({sample.point.engine for sample in every}, key=version),
    }


def version(engine: str) -> tuple[list[int], str]:
    """Returns by what engines are sorted: their version."""
    return [int(part) for part in re.findall(r"\d+", engine)], engine


def judged(held_out: Iterable[Sample], calibration: Calibration) -> dict[str, Any]:
    """Returns how well a calibration meets measurements that it has not seen."""
    errors: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for sample in held_out:
        engine = sample.engine
        found = calibration.class_of(engine.model, engine.gpu, engine.tensor_parallel)
        if found is None:
            continue
        ratio = sample.ratio(calibration) * found.factor
        inside = abs(1 / ratio - 1) * 100 <= found.band_percent
        errors[", ".join(sample.key)].append((100 * abs(ratio - 1), inside))
    every = [one for group in errors.values() for one in group]
    return {
        "all": summary(every),
        "classes": {name: summary(group) for name, group in sorted(errors.items())},
    }


def summary(errors: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """Returns the figures of some measurements."""
    return {
        "points": len(errors),
        "mean_error_percent": round(float(np.mean([error for error, _ in errors])), 1),
        "inside_band_percent": round(100 * float(np.mean([inside for _, inside in errors])), 1),
    }


def main() -> None:
    """Fits, judges, and writes the result."""
    every = samples()
    training = [sample for sample in every if not sample.held_out]
    logs = fit(training)
    plain = calibration_of(logs)
    content = {
        "source": "tools/calibration on catalog/data/throughput.json",
        "constants": plain.constants_by_name,
        "classes": classes_of(training, every, plain),
    }
    held_out = [sample for sample in every if sample.held_out]
    content["held_out"] = judged(held_out, Calibration(content))
    temporary = OUTPUT.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(OUTPUT)
    print(json.dumps(content["held_out"], indent=1))
