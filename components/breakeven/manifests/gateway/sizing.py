"""Capacity and resource requests of a gateway pod."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodSize:
    """Resource requests of a pod.

    Attributes:
        millicores: CPU in thousandths of a core.
        memory_bytes: Memory.
    """

    millicores: int
    memory_bytes: int


MEMORY_BYTES = 1024 * 2**20
"""Of a pod: 70 to 140 MiB were measured under load; the rest is for request bodies in flight."""

GATEWAY_POD = PodSize(500, MEMORY_BYTES)
CPU_TARGET_PERCENT = 60
"""Share of a pod's CPU request at which another pod is added; the rest serves the load until that
pod is ready."""

RATELIMIT = PodSize(200, 128 * 2**20)
"""Measured: 0.27 s of CPU for 1,000 requests, and 20 MiB."""

VALKEY = PodSize(100, 256 * 2**20)
STORE_POD = PodSize(
    RATELIMIT.millicores + VALKEY.millicores, RATELIMIT.memory_bytes + VALKEY.memory_bytes
)
