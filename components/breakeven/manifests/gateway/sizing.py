"""How much a pod of the gateway can do, and takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodSize:
    """What a pod asks for.

    Attributes:
        millicores: CPU in thousandths of a core.
        memory_bytes: Memory.
    """

    millicores: int
    memory_bytes: int


MEMORY_BYTES = 1024 * 2**20
"""Of a pod: 70 to 140 MiB were seen under load; the rest is for bodies of requests under way."""

GATEWAY_POD = PodSize(500, MEMORY_BYTES)
CPU_TARGET_PERCENT = 60
"""Of the CPU that a pod asks for, at which another is added: what is left carries the seconds until
it is ready."""

RATELIMIT = PodSize(200, 128 * 2**20)
"""0.27 s of CPU for 1,000 requests and 20 MiB were seen."""

VALKEY = PodSize(100, 256 * 2**20)
STORE_POD = PodSize(
    RATELIMIT.millicores + VALKEY.millicores, RATELIMIT.memory_bytes + VALKEY.memory_bytes
)
