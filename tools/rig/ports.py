"""Free ports of the loopback interface."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


class Ports:
    """Hands out ports that nobody listens on, none of them twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def free(self) -> int:
        """Return a port that is free now; another process may still take it before its use."""
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
                listener.bind((LOOPBACK, 0))
                port = int(listener.getsockname()[1])
            if port not in self._given:
                self._given.add(port)
                return port


def is_taken(port: int, address: str = LOOPBACK) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        return caller.connect_ex((address, port)) == 0
