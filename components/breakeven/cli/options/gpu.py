"""The option --gpu, which several commands have."""

from __future__ import annotations

from breakeven.catalog.gpus import UnknownGpuError, find_gpu, load_gpus
from breakeven.errors import UserError


class UnknownGpuOptionError(UserError):
    """--gpu names an unknown GPU, or a partial GPU where only whole ones are allowed."""

    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(f'--gpu: unknown GPU "{name}". Allowed: {allowed}')


def require_gpu(name: str, *, parts: bool = False) -> None:
    """Checks a GPU.

    Args:
        name: Its name.
        parts: Whether a partial GPU is allowed, such as h100/2g.20gb or l4/shared-2.

    Raises:
        UnknownGpuOptionError: The GPU is unknown, or partial where that is not allowed.
    """
    whole, slash, _ = name.partition("/")
    if not slash and name in load_gpus():
        return
    if slash and whole in load_gpus():
        try:
            gpu = find_gpu(name)
        except UnknownGpuError:
            shares = (f"{whole}/{share}" for share in load_gpus()[whole].shares)
            raise UnknownGpuOptionError(name, ", ".join([whole, *shares])) from None
        if parts:
            return
        allowed = f"whole GPUs, such as {gpu.part_of}; a partial GPU only with init --where own"
        raise UnknownGpuOptionError(name, allowed)
    allowed = f"{', '.join(load_gpus())}. Omit --gpu to compare all of them"
    raise UnknownGpuOptionError(name, allowed)
