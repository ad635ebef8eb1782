"""GPUs that serve models: memory, bandwidth, compute and power, from the makers' data sheets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypeAlias

from breakeven.catalog.mig_profiles import MIG_MEMORY, mig_instances, mig_shares
from breakeven.suggestions import UnknownNameError, near_names

Vendor: TypeAlias = Literal["nvidia", "amd", "cpu"]
"""Who makes the GPUs; "cpu" where the node's own processors compute."""
Interconnect: TypeAlias = Literal["pcie", "nvlink", "infinity-fabric"]

RESERVED_GIB_PER_GPU = 1.9
"""Peak activations, CUDA graphs and the CUDA context of a GPU. 2 to 4 GB are usual; the capacity
examples that the roofline was checked with leave 2 GB (1.86 GiB). On processors it is what vLLM's
processes take beside weights and cache: 1.9 GiB with a model of two layers, in a container."""

_AMPERE = 8.0
_SPARSE = (9, 10)

_SHARED = "shared-"
"""Begin of the part of a name that stands for a time slice."""

_OF_PROCESSORS = frozenset({"bf16", "int8", "int4"})

TIME_SLICES = (2, 3, 4, 8)
"""Into how many equal time slices a GPU can be divided here."""


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
        fp8_tflops: The same in fp8; None if the GPU has no fp8 units.
        int8_tops: The same in int8.
        fp4_tflops: The same in fp4 (NVFP4, MXFP4); None if the GPU has no fp4 units.
        watts: Board power limit, in W.
        compute_capability: NVIDIA's number of the generation's instructions, such as 9.0 (NVIDIA,
            "CUDA GPU Compute Capability"); None for other vendors.
        interconnect: What links it to the other GPUs of the node; "pcie" without a faster link.
        link_gb_per_second: Bandwidth of that link, one direction, in 10^9 bytes a second.
        linked_gpus: GPUs that the faster link joins: 8 of a board, 2 of a bridge, 72 of a rack.
        has_bf16: Whether it multiplies in bf16; where it does not, models run in fp16 at
            `bf16_tflops`.
        mig_profiles: Profiles into which it can be divided, as NVIDIA's MIG user guide names them;
            one of them is a GPU by the name GPU/PROFILE, such as h100/1g.10gb.
        part_of: Name of the GPU that it is a part of; empty for a whole one.
        parts: How many such parts a whole GPU has.
        source: Where the figures are from.
        gke_accelerator: Google's name for it (label cloud.google.com/gke-accelerator); empty if
            GKE rents none. Source: GKE documentation, "GPU machine types".
        needs_hyperdisk: Whether Google's machines with it boot from Hyperdisk only. Source: Compute
            Engine documentation of the machine series.
        calibration: Generation in `calibration.json` whose constants were fitted to published vLLM
            measurements on it (`throughput.json`); empty if there are none.
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
    fp4_tflops: float | None = None
    compute_capability: float | None = None
    linked_gpus: int = 1
    has_bf16: bool = True
    mig_profiles: tuple[str, ...] = ()
    part_of: str = ""
    parts: int = 1
    gke_accelerator: str = ""
    needs_hyperdisk: bool = False
    calibration: str = ""
    is_suggested: bool = False

    @property
    def shares_over_pcie(self) -> bool:
        """Whether GPUs that share a replica exchange data over PCIe."""
        return self.interconnect == "pcie"

    def multiplies(self, precision: str) -> bool:
        """Tells whether the GPU has units for weights of a precision.

        int4 and MXFP4 are widened on every GPU, as their users expect, so that they count as had.
        """
        if precision == "nvfp4":
            return self.vendor == "nvidia" and self.fp4_tflops is not None
        return precision not in {"fp8", "int8"} or self.compute_tera(precision) > self.bf16_tflops

    def compute_tera(self, precision: str) -> float:
        """Returns the peak at which weights of a precision are multiplied, in 10^12 a second.

        fp8 needs fp8 units, int8 needs int8 units, and nvfp4 needs NVIDIA's fp4 units. Where they
        are missing, and for int4 and mxfp4 always, vLLM's weight-only kernels widen the weights and
        multiply in bf16: memory is saved, compute is not.
        """
        native = {"fp8": self.fp8_tflops, "int8": self.int8_tops}.get(precision)
        if precision == "nvfp4" and self.vendor == "nvidia":
            native = self.fp4_tflops
        return native or self.bf16_tflops

    @property
    def whole(self) -> str:
        """Name of the GPU that it is, or is a part of."""
        return self.part_of or self.name

    @property
    def profile(self) -> str:
        """Its MIG profile, or "shared-N" for a time slice; empty for what is none of them."""
        return self.name.partition("/")[2]

    @property
    def is_cpu(self) -> bool:
        """Whether it is the processors of a node: no device, no driver, no taint, no exporter."""
        return self.vendor == "cpu"

    @property
    def is_time_slice(self) -> bool:
        """Whether it is one of several equal time slices of a GPU."""
        return self.profile.startswith(_SHARED)

    @property
    def unit(self) -> str:
        """What one of it is called where devices of a node are counted."""
        if self.is_time_slice:
            return "GPU time slice"
        return "MIG instance" if self.profile else "GPU"

    @property
    def device_resource(self) -> str:
        """Resource by which a container asks for it, as the vendor's device plugin names it.

        Empty for processors, which every container has.

        A time slice is the resource that NVIDIA's device plugin renames (`renameByDefault`), so
        that no pod gets a whole GPU for the price of a slice.
        """
        if self.is_time_slice:
            return f"{self.taint}.shared"
        return f"nvidia.com/mig-{self.profile}" if self.profile else self.taint

    @property
    def visible_memory_share(self) -> float:
        """Its share of the memory that a container sees: a time slice sees all of the GPU's."""
        return 1 / self.parts if self.is_time_slice else 1.0

    @property
    def node_labels(self) -> Mapping[str, str]:
        """Labels that the vendor's operator gives to nodes with it; processors are in all nodes."""
        if self.is_cpu:
            return {"kubernetes.io/os": "linux"}
        if self.vendor == "amd":
            return {"feature.node.kubernetes.io/amd-gpu": "true"}
        return {"nvidia.com/gpu.present": "true"}

    @property
    def taint(self) -> str:
        """Key of the taint by which nodes with it are usually kept free for it; may be empty."""
        return "" if self.is_cpu else f"{self.vendor}.com/gpu"

    def supports(self, precision: str) -> bool:
        """Tells whether vLLM has kernels for weights of a precision on it.

        NVFP4 is NVIDIA's. MXFP4 needs compute capability 8.0 (`get_min_capability` of vLLM's
        `Mxfp4Config`, 0.20 to 0.30). On processors it has kernels for int8 and int4 (its
        documentation, "Quantization", column x86 CPU, read 2026-11-30).
        """
        if self.is_cpu:
            return precision in _OF_PROCESSORS
        if precision == "mxfp4":
            return self.compute_capability is None or self.compute_capability >= _AMPERE
        return self.vendor == "nvidia" or precision != "nvfp4"

    @property
    def has_sparse_attention(self) -> bool:
        """Whether vLLM has kernels for latent attention that chooses tokens by an index.

        On GPUs of NVIDIA of compute capability 9 and 10 (`supports_compute_capability` of vLLM's
        `FlashMLASparseBackend`, 0.20 to 0.30); on AMD by AITER.
        """
        return self.compute_capability is None or int(self.compute_capability) in _SPARSE

    def sliced(self, profile: str) -> Gpu:
        """Returns the part of this GPU that a MIG profile is.

        Compute and power are by its share of the compute slices, memory and bandwidth by its share
        of the memory slices: eighths, and quarters on GPUs with four compute slices (NVIDIA MIG
        user guide, "Supported MIG profiles"). Parts cannot exchange data with each other.

        Args:
            profile: One of `mig_profiles`.
        """
        compute, memory = mig_shares(profile, self.mig_profiles[-1])
        return replace(
            self,
            name=f"{self.name}/{profile}",
            memory_gib=self.memory_gib * memory * (MIG_MEMORY if memory < 1 else 1),
            bandwidth_gb_per_second=self.bandwidth_gb_per_second * memory,
            bf16_tflops=self.bf16_tflops * compute,
            fp8_tflops=self.fp8_tflops and self.fp8_tflops * compute,
            int8_tops=self.int8_tops and self.int8_tops * compute,
            fp4_tflops=self.fp4_tflops and self.fp4_tflops * compute,
            watts=round(self.watts * compute),
            linked_gpus=1,
            mig_profiles=(),
            part_of=self.name,
            parts=mig_instances(profile, self.mig_profiles[-1]),
            calibration="",
            is_suggested=False,
        )

    def time_slice(self, slices: int) -> Gpu:
        """Returns one of several equal time slices of this GPU.

        Compute, bandwidth, memory and power by share, as if all slices were busy. Nothing separates
        them: the memory is shared by what each engine is configured to take, and containers with
        slices of one GPU take turns (NVIDIA device plugin, "Shared Access to GPUs"). Slices of
        several GPUs cannot be requested, so they exchange no data.

        Args:
            slices: One of `TIME_SLICES`.
        """
        return replace(
            self,
            name=f"{self.name}/{_SHARED}{slices}",
            memory_gib=self.memory_gib / slices,
            bandwidth_gb_per_second=self.bandwidth_gb_per_second / slices,
            bf16_tflops=self.bf16_tflops / slices,
            fp8_tflops=self.fp8_tflops and self.fp8_tflops / slices,
            int8_tops=self.int8_tops and self.int8_tops / slices,
            fp4_tflops=self.fp4_tflops and self.fp4_tflops / slices,
            watts=round(self.watts / slices),
            linked_gpus=1,
            mig_profiles=(),
            part_of=self.name,
            parts=slices,
            calibration="",
            is_suggested=False,
        )

    @property
    def shares(self) -> tuple[str, ...]:
        """What follows the slash in the names of its parts: MIG profiles, then time slices."""
        if self.vendor != "nvidia" or self.part_of:
            return self.mig_profiles
        return (*self.mig_profiles, *(f"{_SHARED}{slices}" for slices in TIME_SLICES))


CPU = Gpu(
    name="cpu",
    vendor="cpu",
    memory_gib=6.0,
    bandwidth_gb_per_second=51.2,
    bf16_tflops=0.32,
    fp8_tflops=None,
    int8_tops=None,
    watts=45,
    interconnect="pcie",
    link_gb_per_second=16,
    source="an assumption, as nobody knows which laptop it is: 6 GiB that the engine takes of its "
    "memory; two channels of DDR4-3200 (JEDEC: 3,200 MT/s of 8 bytes each); four cores at 2.5 GHz "
    "that do 32 operations in fp32 a cycle (two units for 256 bits that multiply and add); 45 W",
)
"""The processors of a node without GPUs: a model of a few hundred million weights, to try things.

What it serves is never known (`ReplicaCapacity.is_unknown`) until someone measures it."""


class UnknownGpuError(UnknownNameError):
    """No such GPU is known."""

    what = "GPU"


@cache
def load_gpus() -> Mapping[str, Gpu]:
    """Returns all known GPUs by name."""
    text = (resources.files(__package__) / "data" / "gpus.json").read_text(encoding="utf-8")
    entries = (
        {**entry, "mig_profiles": tuple(entry.get("mig_profiles", ()))}
        for entry in json.loads(text)["gpus"]
    )
    return MappingProxyType({entry["name"]: Gpu(**entry) for entry in entries})


@cache
def gpu_names() -> tuple[str, ...]:
    """Returns the names of all known GPUs, and of their parts as GPU/PROFILE and GPU/shared-N."""
    gpus = load_gpus()
    parts = (f"{name}/{each}" for name, gpu in gpus.items() for each in gpu.shares)
    return (*gpus, *parts)


def device_names() -> tuple[str, ...]:
    """Returns what a pool can compute with: GPUs, their parts, and a node's own processors."""
    return (*gpu_names(), CPU.name)


def find_gpu(name: str) -> Gpu:
    """Returns a GPU, or a part of one, by name, in upper or lower case.

    Args:
        name: Such as h100; h100/1g.10gb for a MIG profile, h100/shared-4 for one of four time
            slices; cpu for the processors of a node.

    Raises:
        UnknownGpuError: There is none of that name.
    """
    gpus = load_gpus()
    whole, slash, profile = name.lower().partition("/")
    gpu = CPU if whole == CPU.name else gpus.get(whole)
    if gpu is None:
        raise UnknownGpuError(name, near_names(name, gpus))
    if not slash:
        return gpu
    if profile not in gpu.shares:
        raise UnknownGpuError(name, tuple(f"{whole}/{each}" for each in gpu.shares))
    if profile.startswith(_SHARED):
        return gpu.time_slice(int(profile.removeprefix(_SHARED)))
    return gpu.sliced(profile)
