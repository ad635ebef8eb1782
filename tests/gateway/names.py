"""A stand-in for the cluster's name server, that remembers what it was asked for."""

from __future__ import annotations

import socket
import struct
import threading

_NO_NAME, _FAILED = 3, 2
_TYPE_A = 1


class NameServer:
    """Answers for addresses of version 4 on a port of its own, until it is stopped.

    Attributes:
        addresses: By name, without the dot at its end. A name without addresses is known.
        asked: Every name that anybody looked up.
        fails: It answers that it cannot (SERVFAIL).
    """

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.asked: list[str] = []
        self.fails = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
                self._socket.sendto(self._answer(query), client)
            except OSError:
                return  # stopped

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode(errors="replace"))
            at += 1 + length
        name = ".".join(labels).lower()
        [kind] = struct.unpack_from("!H", query, at + 1)
        question = query[12 : at + 5]
        self.asked.append(name)
        known = self.addresses.get(name)
        code = _FAILED if self.fails else _NO_NAME if known is None else 0
        found = known if known and kind == _TYPE_A and not self.fails else ()
        records = b"".join(
            struct.pack("!HHHIH", 0xC00C, kind, 1, 1, 4) + socket.inet_aton(address)
            for address in found
        )
        flags = 0x8180 | code
        head = struct.pack("!HHHHHH", *struct.unpack_from("!H", query), flags, 1, len(found), 0, 0)
        return head + question + records
