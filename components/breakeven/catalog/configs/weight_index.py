"""Counts parameters from the index of a repository's safetensors."""

from __future__ import annotations

from pathlib import Path

from breakeven.catalog.configs.fields import ConfigFields

_MOST = 10**16

INDEX = "model.safetensors.index.json"


def indexed_parameters(path: Path) -> int | None:
    """Returns the parameters that an index states; None if there is no such file.

    Transformers writes `total_parameters`; older files have the bytes alone, which are two for a
    parameter in bf16.

    Raises:
        ModelConfigError: It cannot be read, or states neither.
    """
    if not path.is_file():
        return None
    metadata = ConfigFields.read(path).part("metadata")
    name, bytes_of_each = "total_parameters", 1
    if not metadata.has(name):
        name, bytes_of_each = "total_size", 2
    value = metadata.values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _MOST:
        metadata.refuse(name, "the parameters or the bytes of all weights")
    return int(value) // bytes_of_each
