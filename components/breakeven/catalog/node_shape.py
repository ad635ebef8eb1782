"""What a machine type has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShape:
    """What a machine type has.

    Attributes:
        cloud: "aws", "azure", "gcp", or a GPU cloud such as "lambda".
        instance_type: The cloud's name for it.
        gpu: Name in `gpus.json`; None without GPU.
        gpus: How many of them.
        vcpus: Virtual CPUs; None if the source of its price does not say.
        memory_gib: Memory, in GiB; None if the source of its price does not say.
    """

    cloud: str
    instance_type: str
    gpu: str | None
    gpus: int
    vcpus: int | None
    memory_gib: float | None
