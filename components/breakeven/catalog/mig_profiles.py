"""MIG profiles: which share of a GPU an instance such as 1g.10gb has."""

from __future__ import annotations

_COMPUTE_SLICES = 7
"""Of GPUs whose memory is divided into eighths."""

MIG_MEMORY = 0.95
"""What an instance reports of its share of the memory, the low end: on an A100 of 40,960 MiB 1g.5gb
reports 4,864 MiB and 3g.20gb 20,096 MiB (NVIDIA MIG user guide, "Running CUDA applications")."""


def mig_shares(profile: str, whole: str) -> tuple[float, float]:
    """Returns a profile's share of the compute and of the memory of the whole GPU's profile."""
    (slices, gigabytes), (all_slices, all_gigabytes) = _mig_sizes(profile), _mig_sizes(whole)
    eighths = 8 if all_slices == _COMPUTE_SLICES else all_slices
    memory = round(gigabytes / all_gigabytes * eighths) / eighths
    return slices / all_slices, memory


def mig_instances(profile: str, whole: str) -> int:
    """Returns how many instances of a profile a GPU holds: by compute and by memory slices."""
    compute, memory = mig_shares(profile, whole)
    return min(round(1 / compute - 0.49), round(1 / memory - 0.49))


def _mig_sizes(profile: str) -> tuple[int, int]:
    slices, _, memory = profile.partition("g.")
    return int(slices), int(memory.removesuffix("gb"))
