"""GPUs that serve models: memory, bandwidth, compute and power, from the makers' data sheets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypeAlias

from breakeven.suggestions import UnknownNameError, near_names

Vendor: TypeAlias = Literal["nvidia", "amd"]
Interconnect: TypeAlias = Literal["pcie", "nvlink", "infinity-fabric"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU: what its maker's data sheet says, and what decides how it can be used.

    Compute figures are dense, without structured sparsity.

    Attributes:
        name: Short name, such as "l40s".
        vendor: Who makes it.
        memory_gib: Memory that the driver reports, in GiB; data sheets round it.
        bandwidth_gb_per_second: Peak memory bandwidth, in 10^9 bytes a second.
        bf16_tflops: Peak bf16 operations with fp32 sums, in 10^12 a second.
        fp8_tflops: The same in fp8; None where the GPU has no fp8 units.
        int8_tops: The same in int8.
        watts: Board power limit, in W.
        interconnect: What links it to the other GPUs of the node; "pcie" without a faster link.
        link_gb_per_second: Bandwidth of that link, one direction, in 10^9 bytes a second.
        source: Where the figures are from.
        gke_accelerator: Google's name for it (label cloud.google.com/gke-accelerator); empty where
            GKE rents none. Source: GKE documentation, "GPU machine types".
        needs_hyperdisk: Whether Google's machines with it boot from Hyperdisk only. Source: Compute
            Engine documentation of the machine series.
        fp4_tflops: The same as `bf16_tflops` in NVFP4; None where the GPU has no units for it.
        calibration: Generation in `calibration.json` whose constants were fitted to published vLLM
            measurements on it (`throughput.json`); empty where there are none.
        is_suggested: Whether several clouds rent it widely, so that it is named where a model does
            not fit.
    """

    name: str
    vendor: Vendor
    memory_gib: float
    bandwidth_gb_per_second: float
    bf16_tflops: float
    fp8_tflops: float | None
    int8_tops: float | None
    watts: int
    interconnect: Interconnect
    link_gb_per_second: float
    source: str
    gke_accelerator: str = ""
    needs_hyperdisk: bool = False
    fp4_tflops: float | None = None
    calibration: str = ""
    is_suggested: bool = False

    @property
    def is_deployable(self) -> bool:
        """Whether the manifests can use it; engine image and device plugin are for NVIDIA."""
        return self.vendor == "nvidia"

    @property
    def shares_over_pcie(self) -> bool:
        """Whether GPUs that share a replica exchange data over PCIe."""
        return self.interconnect == "pcie"

    def multiplies(self, precision: str) -> bool:
        """Tells whether the GPU has units for weights of a precision.

        int4 and MXFP4 are widened on every GPU, as their users expect, so that they count as had.
        """
        if precision == "nvfp4":
            return self.fp4_tflops is not None
        return precision not in {"fp8", "int8"} or self.compute_tera(precision) > self.bf16_tflops

    def compute_tera(self, precision: str) -> float:
        """Returns the peak at which weights of a precision are multiplied, in 10^12 a second.

        fp8 needs fp8 units and int8 needs int8 units. Where they are missing, and for int4 always,
        vLLM's weight-only kernels widen the weights and multiply in bf16: memory is saved, compute
        is not.
        """
        native = {
            "fp8": self.fp8_tflops,
            "int8": self.int8_tops,
            "nvfp4": self.fp4_tflops,
        }.get(precision)
        return native or self.bf16_tflops


class UnknownGpuError(UnknownNameError):
    """No such GPU is known."""

    what = "GPU"


@cache
def load_gpus() -> Mapping[str, Gpu]:
    """Returns all known GPUs by name."""
    text = (resources.files(__package__) / "data" / "gpus.json").read_text(encoding="utf-8")
    return MappingProxyType({entry["name"]: Gpu(**entry) for entry in json.loads(text)["gpus"]})


def find_gpu(name: str) -> Gpu:
    """Returns a GPU by name; upper case is no matter.

    Raises:
        UnknownGpuError: There is none of that name.
    """
    gpus = load_gpus()
    try:
        return gpus[name.lower()]
    except KeyError:
        raise UnknownGpuError(name, near_names(name, gpus)) from None
