"""How much a pod of the gateway can do, and takes."""

from __future__ import annotations

MILLICORES = 500
"""CPU that a pod asks for."""

MEMORY_BYTES = 1024 * 2**20
"""Of a pod: 70 to 140 MiB were seen under load; the rest is for bodies of requests under way."""
