"""Reads JSON of any size member by member, at constant memory, with line numbers.

The standard library reads a whole document or nothing, and a cloud's price list has gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn, TextIO

_CHUNK = 1 << 16
_LARGEST_VALUE = 1 << 24
"""Characters of one value that is not entered; a longer one is not an entry of a list."""

_WHITESPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, and where it stands.

    Attributes:
        path: Keys from the root; "*" for an item of a list.
        value: As the standard library reads it, fractions as Decimal.
        line: Line on which it starts, from 1.
    """

    path: tuple[str, ...]
    value: object
    line: int


class JsonStreamError(ValueError):
    """The text is no JSON.

    Attributes:
        line: Line on which reading stopped, from 1.
    """

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")


def entries(stream: TextIO, entered: Collection[tuple[str, ...]]) -> Iterator[Entry]:
    """Yields the values of a JSON document in their order.

    Args:
        stream: The document.
        entered: Paths of the objects and lists whose members are yielded one by one, the root's ()
            included; all else is yielded whole.

    Raises:
        JsonStreamError: It is no JSON, or a value that is not entered is larger than 16 million
            characters.
    """
    text = _Text(stream)
    yield from _walk(text, (), entered)
    if text.peek():
        text.fail("text after the end of the document")


def _walk(
    text: _Text, path: tuple[str, ...], entered: Collection[tuple[str, ...]]
) -> Iterator[Entry]:
    opening = text.peek()
    if path not in entered or opening not in {"{", "["}:
        yield Entry(path, *text.value())
        return
    text.skip(opening)
    closing = "}" if opening == "{" else "]"
    if text.peek() == closing:
        text.skip(closing)
        return
    while True:
        name = "*"
        if opening == "{":
            key, _ = text.value()
            if not isinstance(key, str):
                text.fail("a name in quotes is missing")
            text.skip(":")
            name = key
        yield from _walk(text, (*path, name), entered)
        if text.peek() == closing:
            text.skip(closing)
            return
        text.skip(",")


class _Text:
    """The part of the document that was read, but not yet used."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buffer = ""
        self._position = 0
        self._ended = False
        self._line = 1
        self._counted = 0
        self._decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)

    def peek(self) -> str:
        """Returns the next character that is not white space; "" at the end."""
        while True:
            while self._position < len(self._buffer):
                if self._buffer[self._position] not in _WHITESPACE:
                    return self._buffer[self._position]
                self._position += 1
            if self._ended:
                return ""
            self._read_on()

    def skip(self, wanted: str) -> None:
        """Moves behind a character that has to come next."""
        found = self.peek()
        if found != wanted:
            self.fail(f"{wanted} expected, {found or 'the end'} found")
        self._position += 1

    def value(self) -> tuple[object, int]:
        """Returns the value that comes next, and the line on which it starts."""
        if not self.peek():
            self.fail("it ends in the middle")
        line = self.line()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                if self._ended or len(self._buffer) - self._position > _LARGEST_VALUE:
                    # The decoder counts lines within what was read last.
                    reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    raise JsonStreamError(line, f"no JSON: {reason}") from None
            else:
                # A number that ends with what was read may go on.
                if end < len(self._buffer) or self._ended:
                    self._position = end
                    return value, line
            self._read_on()

    def line(self) -> int:
        """Returns the line at which reading stands."""
        self._line += self._buffer.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line

    def fail(self, reason: str) -> NoReturn:
        """Refuses the document where reading stands."""
        raise JsonStreamError(self.line(), reason)

    def _read_on(self) -> None:
        self.line()
        rest = self._buffer[self._position :]
        # At least doubled, so that a large value is not looked at again and again.
        more = self._stream.read(max(_CHUNK, len(rest)))
        self._ended = not more
        self._buffer = rest + more
        self._position = self._counted = 0


def _refuse(constant: str) -> object:
    msg = f"{constant} is not a number"
    raise ValueError(msg)
