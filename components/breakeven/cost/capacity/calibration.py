"""What published measurements say of the roofline: its constants, and how far it is off by class.

`catalog/data/calibration.json` is written by `tools/calibration/fit.py` from two thirds of the
measurements in steady state of `throughput.json`; the last third judges it. A class is a generation
of GPUs, a kind of model and the link between the GPUs of a replica.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.model_facts import ModelFacts

Link: TypeAlias = Literal["one GPU", "NVLink", "PCIe"]
"""How the GPUs of a replica exchange data; AMD's Infinity Fabric counts as NVLink does."""

ModelKind: TypeAlias = Literal["dense", "mixture", "latent mixture", "other"]
"""Models that behave alike: dense; mixtures of experts; such with latent attention (MLA); others,
such as those with a state instead of a cache."""

TRANSFERRED = "by data sheet"
"""Generation of all GPUs without measurements of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """The constants of the roofline for one engine.

    Attributes:
        memory_efficiency: Of peak bandwidth, over 0.
        cache_efficiency: The same for the cache of requests.
        compute_efficiency: Of the peak of the units that `Gpu.compute_tera` counts with, over 0.
        step_seconds: Scheduler of a step.
        layer_seconds: Kernel starts of a layer, and its wait for the other GPUs.
        request_seconds: What a step takes longer for each request in flight: scheduler, sampling.
        link_efficiency: Of the link between GPUs.
    """

    memory_efficiency: float
    cache_efficiency: float
    compute_efficiency: float
    step_seconds: float
    layer_seconds: float
    request_seconds: float
    link_efficiency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationClass:
    """How well the roofline meets the measurements of one class.

    Attributes:
        generation: Of the GPUs; "by data sheet" for those without measurements of their own.
        kind: Of the models, or the architecture where it has ten measurements of its own.
        link: Between the GPUs of a replica.
        points: Measurements of the class.
        factor: What the roofline's throughput is multiplied with.
        band_percent: Half the width of the band.
        gpus: Of the measurements.
        models: Of the measurements.
        engines: Versions of the measurements' engines, oldest first.
    """

    generation: str
    kind: str
    link: Link
    points: int
    factor: float
    band_percent: float
    gpus: tuple[str, ...]
    models: tuple[str, ...]
    engines: tuple[str, ...]

    @property
    def oldest_engine(self) -> tuple[int, ...]:
        """Version of the oldest vLLM that is stated; empty for none."""
        found = (re.match(r"vLLM (\d+)\.(\d+)\.", engine) for engine in self.engines)
        versions = [tuple(int(part) for part in one.groups()) for one in found if one]
        return min(versions, default=())


class Calibration:
    """The content of `calibration.json`."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.constants_by_name: Mapping[str, Any] = content["constants"]
        entries = content["classes"]
        self.classes = tuple(
            CalibrationClass(
                **{
                    **entry,
                    **{name: tuple(entry[name]) for name in ("gpus", "models", "engines")},
                }
            )
            for entry in entries
        )
        self._by_key = {(one.generation, one.kind, one.link): one for one in self.classes}

    def constants(
        self, model: ModelFacts, gpu: Gpu, precision: str, tensor_parallel: int
    ) -> Constants:
        """Returns the constants of the roofline for one engine."""
        found = self.constants_by_name
        generation = found["generations"].get(gpu.calibration or "hopper")
        kind = found["kinds"].get(kind_of(model), found["kinds"]["dense"])
        compute = generation["compute"] * kind["compute"]
        # Blackwell multiplies both kinds of 4-bit numbers as they are; int4 is widened everywhere.
        compute *= generation.get(f"{precision}_compute", 1.0)
        link = link_of(gpu, tensor_parallel)
        # GPUs that reach each other's memory over PCIe are nearer to NVLink than those that do not.
        of_link = found["links"]["PCIe" if gpu.calibration and link == "PCIe" else "NVLink"]
        others = tensor_parallel - 1
        wait = of_link["first"] + of_link["further"] * (others - 1) if others else 0.0
        return Constants(
            memory_efficiency=generation["memory"] * kind["memory"],
            cache_efficiency=generation["memory"],
            compute_efficiency=compute,
            step_seconds=found["step"],
            layer_seconds=found["layer"] + kind["layer"] + wait,
            request_seconds=generation["request"] + found["request_per_gpu"] * others,
            link_efficiency=of_link["efficiency"],
        )

    def class_of(
        self, model: ModelFacts, gpu: Gpu, tensor_parallel: int
    ) -> CalibrationClass | None:
        """Returns the class whose measurements speak for an engine; None if there is none."""
        if gpu.is_cpu:
            return None
        link = link_of(gpu, tensor_parallel)
        generation = gpu.calibration or TRANSFERRED
        for kind in (model.architecture, kind_of(model)):
            found = self._by_key.get((generation, kind, link))
            if found is not None:
                return found
        return None


@cache
def load_calibration() -> Calibration:
    """Returns the calibration that the package carries."""
    data = resources.files("breakeven.catalog") / "data"
    return Calibration(json.loads((data / "calibration.json").read_text(encoding="utf-8")))


def kind_of(model: ModelFacts) -> ModelKind:
    """Returns the kind of a model."""
    caches = {group.kind for group in model.groups}
    if caches <= {"full", "sliding", "chunked", "none"}:
        return "mixture" if model.is_mixture_of_experts else "dense"
    return "latent mixture" if caches == {"latent"} and model.is_mixture_of_experts else "other"


def link_of(gpu: Gpu, tensor_parallel: int) -> Link:
    """Returns how the GPUs of a replica exchange data."""
    if tensor_parallel == 1:
        return "one GPU"
    return "PCIe" if gpu.shares_over_pcie else "NVLink"
