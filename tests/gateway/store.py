"""Reads the counters in the store, by its own protocol."""

from __future__ import annotations

import socket
from collections.abc import Callable
from io import BufferedRWPair
from typing import Any


def counters(port: int, part: str) -> dict[str, int]:
    """The store's counters whose names have this part."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        file = connection.makefile("rwb")
        ask = _asking(file)
        names = [name for name in ask("KEYS", "*") if part in name]
        return {name: int(ask("GET", name)) for name in names}


def _asking(file: BufferedRWPair) -> Callable[..., Any]:
    def ask(*words: str) -> Any:
        file.write(f"*{len(words)}\r\n".encode())
        file.writelines(f"${len(word.encode())}\r\n{word}\r\n".encode() for word in words)
        file.flush()
        return read()

    def read() -> Any:
        line = file.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [read() for _ in range(int(rest))]
        if kind == b"$":
            return file.read(int(rest) + 2)[:-2].decode()
        return rest.decode()

    return ask
