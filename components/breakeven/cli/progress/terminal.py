"""Keeps names and messages of others from acting on the terminal that shows them.

Pods, files, teams and models are named by whoever made them. A name may hold a sequence that
clears the screen, sets the title or writes over earlier lines.
"""

from __future__ import annotations

import io
import re
from typing import TextIO

from breakeven.printable import printable

_COLORS = re.compile(r"(\x1b\[(?:[0-79]|[2-49]\d|10[0-7]|;|38;5;\d+|48;5;\d+)*m)")
"""What help and errors are colored with: sequences that set a color or weight, and hide nothing."""


class _Guarded(io.TextIOWrapper):
    """A terminal's stream on which only colors act."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self.whole = stream
        super().__init__(
            stream.buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=True
        )

    def isatty(self) -> bool:
        return self.whole.isatty()

    def write(self, text: str) -> int:
        parts = _COLORS.split(text)
        return super().write("".join([*map(_guarded, parts[::2], [*parts[1::2], ""])]))


def _guarded(text: str, color: str) -> str:
    # A terminal returns to the line's beginning at each of its ends anyway.
    return printable(text.replace("\r\n", "\n")) + color


def guarded(stream: TextIO) -> TextIO:
    """Returns a stream on which text of others does nothing; any but a terminal as it is."""
    if isinstance(stream, io.TextIOWrapper) and stream.isatty():
        return _Guarded(stream)
    return stream


def whole(stream: TextIO) -> TextIO:
    """Returns the stream for a bar or screen of the program's own, which moves the cursor."""
    return stream.whole if isinstance(stream, _Guarded) else stream
