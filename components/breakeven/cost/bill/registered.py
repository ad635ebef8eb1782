"""What a program registered, as the ledger holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GPU_POOL = "breakeven:gpu_pool:GpuPool"


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource as the ledger saw it.

    Attributes:
        name: Name in the program.
        type: Type token.
        properties: Inputs as plain values; None if they could not be read.
    """

    name: str
    type: str
    properties: Mapping[str, object] | None
