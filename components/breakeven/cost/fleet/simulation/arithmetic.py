"""One set of rules for one configuration and for many: arithmetic on floats or on arrays.

A step has more than a hundred operations. On arrays of one element each costs numpy's overhead of
about a microsecond, on floats a twentieth of it; on arrays of thousands it costs nanoseconds a
configuration. So the rules are written once, in the operators that both have and in these
functions.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""With an element for each configuration; whole numbers among them."""


class Flag(Protocol):
    """What a comparison gives: a bool, or an array of them."""

    def __and__(self, other: Any, /) -> Flag: ...
    def __or__(self, other: Any, /) -> Flag: ...
    def __mul__(self, other: Any, /) -> Number: ...
    def __rmul__(self, other: Any, /) -> Number: ...
    def __rsub__(self, other: Any, /) -> Number: ...


class Number(Protocol):
    """A float, or an array with an element for each configuration."""

    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __add__(self, other: Any, /) -> Number: ...
    def __sub__(self, other: Any, /) -> Number: ...
    def __rsub__(self, other: Any, /) -> Number: ...
    def __mul__(self, other: Any, /) -> Number: ...
    def __rmul__(self, other: Any, /) -> Number: ...
    def __truediv__(self, other: Any, /) -> Number: ...
    def __rtruediv__(self, other: Any, /) -> Number: ...
    def __neg__(self) -> Number: ...
    def __abs__(self) -> Number: ...
    def __lt__(self, other: Any, /) -> Flag: ...
    def __le__(self, other: Any, /) -> Flag: ...
    def __gt__(self, other: Any, /) -> Flag: ...
    def __ge__(self, other: Any, /) -> Flag: ...


class Window(Protocol):
    """The largest of the latest values."""

    def push(self, value: Any) -> Number:
        """Takes the value of a step and returns the largest of the window, this one included."""
        ...


class Delay(Protocol):
    """What was some steps before."""

    def push(self, value: Any) -> Number:
        """Takes the value of a step and returns that of so many steps before."""
        ...


class WindowOfOne:
    """Window over floats.

    Args:
        length: Steps that it covers, 1 or more.
        value: What all steps before the first had.
    """

    def __init__(self, length: int, value: float) -> None:
        self._values = deque([value] * length, maxlen=length)
        self._largest = value

    def push(self, value: float) -> float:
        """See `Window`."""
        leaves = self._values[0]
        self._values.append(value)
        if value >= self._largest:
            self._largest = value
        elif leaves == self._largest:
            self._largest = max(self._values)
        return self._largest


class WindowOfMany:
    """Window over arrays; each element has a length of its own.

    Args:
        lengths: Steps that it covers, 1 or more.
        values: What all steps before the first had.
    """

    def __init__(self, lengths: Array, values: Array) -> None:
        rows = np.arange(lengths.max())[:, np.newaxis]
        self._values = np.where(rows < lengths, values, -np.inf)
        self._place = _places(lengths)
        self._step = 0

    def push(self, value: Array) -> Array:
        """See `Window`."""
        self._values[self._place(self._step)] = value
        self._step += 1
        return np.asarray(self._values.max(axis=0))


class DelayOfOne:
    """Delay of floats.

    Args:
        length: Steps, 0 or more.
        value: What all steps before the first had.
    """

    def __init__(self, length: int, value: float) -> None:
        self._values = deque([value] * (length + 1), maxlen=length + 1)

    def push(self, value: float) -> float:
        """See `Delay`."""
        self._values.append(value)
        return self._values[0]


class DelayOfMany:
    """Delay of arrays; each element has a length of its own.

    Args:
        lengths: Steps, 0 or more.
        values: What all steps before the first had.
    """

    def __init__(self, lengths: Array, values: Array) -> None:
        self._values = np.repeat(values[np.newaxis, :], lengths.max() + 1, axis=0)
        self._place = _places(lengths + 1)
        self._step = 0

    def push(self, value: Array) -> Array:
        """See `Delay`."""
        self._values[self._place(self._step)] = value
        self._step += 1
        return np.array(self._values[self._place(self._step)])


def _places(lengths: Array) -> Callable[[int], Any]:
    """Returns where the values of a step lie, in rows that are used again after so many steps.

    Where all have one length that is a row, which numpy reaches many times faster than an element
    of each column.
    """
    length = int(lengths[0])
    if (lengths == length).all():
        return lambda step: step % length
    columns = np.arange(len(lengths))
    return lambda step: (step % lengths, columns)


def _where(holds: Array, function: Callable[..., Array], values: tuple[Array, ...]) -> Array:
    found = np.zeros(len(holds))
    at = np.flatnonzero(holds)
    if len(at):
        found[at] = function(*(value[at] for value in values))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """The functions that floats and arrays have under different names.

    `only` applies a function where something holds, and gives 0 elsewhere.
    """

    minimum: Callable[[Any, Any], Number]
    maximum: Callable[[Any, Any], Number]
    ceil: Callable[[Any], Number]
    floor: Callable[[Any], Number]
    sqrt: Callable[[Any], Number]
    exp: Callable[[Any], Number]
    any: Callable[[Any], bool]
    only: Callable[[Any, Callable[..., Any], tuple[Any, ...]], Number]
    window: Callable[[Any, Any], Window]
    delay: Callable[[Any, Any], Delay]


ONE = Arithmetic(
    minimum=min,
    maximum=max,
    ceil=math.ceil,
    floor=math.floor,
    sqrt=math.sqrt,
    exp=math.exp,
    any=bool,
    only=lambda holds, function, values: function(*values) if holds else 0.0,
    window=WindowOfOne,
    delay=DelayOfOne,
)

MANY = Arithmetic(
    minimum=np.minimum,
    maximum=np.maximum,
    ceil=np.ceil,
    floor=np.floor,
    sqrt=np.sqrt,
    exp=np.exp,
    any=lambda values: bool(values.any()),
    only=_where,
    window=WindowOfMany,
    delay=DelayOfMany,
)
