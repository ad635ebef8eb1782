"""The garbage collector, kept away from imports."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """Lets modules be imported without the garbage collector; for a program's entry point alone.

    What they make lives as long as the program. The collector looks through all of it again and
    again, a fifth of the time that the imports take, and finds nothing. Afterwards it works again,
    and passes over what was made.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
