"""The option --gpu, which several commands have."""

from __future__ import annotations

from breakeven.catalog.gpus import UnknownGpuError, find_gpu, load_gpus
from breakeven.errors import UserError


class UnknownGpuOptionError(UserError):
    """--gpu names a GPU that is not known, or a part of one where whole ones are weighed."""

    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(f'--gpu: there is no GPU "{name}". Allowed: {allowed}')


def require_gpu(name: str, *, parts: bool = False) -> None:
    """Checks a GPU.

    Args:
        name: Its name.
        parts: Whether it may be a part of a GPU, such as h100/2g.20gb or l4/shared-2.

    Raises:
        UnknownGpuOptionError: There is no such GPU, or it is a part and none is allowed.
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
        allowed = f"whole GPUs, such as {gpu.part_of}; a part of one only with init --where own"
        raise UnknownGpuOptionError(name, allowed)
    allowed = f"{', '.join(load_gpus())}. Leave --gpu out to weigh all of them"
    raise UnknownGpuOptionError(name, allowed)
