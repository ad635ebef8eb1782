"""The option --gpu, which several commands have."""

from __future__ import annotations

from breakeven.catalog.gpus import load_gpus
from breakeven.errors import UserError


class UnknownGpuOptionError(UserError):
    """--gpu names a GPU that is not known."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'--gpu: there is no GPU "{name}". Allowed: {", ".join(load_gpus())}. '
            "Leave --gpu out to weigh all of them"
        )


def require_gpu(name: str) -> None:
    """Raises UnknownGpuOptionError where there is no such GPU."""
    if name not in load_gpus():
        raise UnknownGpuOptionError(name)
