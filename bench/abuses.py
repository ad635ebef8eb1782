"""Abuses of a gateway, each by a process of its own: `python -m bench.abuses NAME PORT MODEL`.

It says "begun" when it has, and goes on until it is killed. Only the standard library is used, so
that it begins at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import struct
import sys
from collections.abc import Callable, Coroutine
from typing import Any

CHAT = "/v1/chat/completions"
MIB = 2**20

TEAM = os.environ.get("TEAM", "abuser")
KEY = f"Authorization: Bearer sk-{TEAM}\r\n"
JSON = "Content-Type: application/json\r\n"


def _post(body: bytes, headers: str = KEY, path: str = CHAT) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}{JSON}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def asks(model: str, *, stream: bool = False) -> bytes:
    """Returns the body of an ordinary request."""
    return json.dumps(
        {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    ).encode()


async def _again(port: int, content: bytes, clients: int) -> None:
    """Sends it, reads what comes back, and does so again, by each of the clients."""

    async def client() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                while True:
                    writer.write(content)
                    await writer.drain()
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                    if not length.isdigit() or b"connection: close" in head.lower():
                        await reader.read()
                        break
                    await reader.readexactly(int(length))
                writer.close()
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.01)

    await asyncio.gather(*(client() for _ in range(clients)))


async def _slowly(port: int, content: bytes, byte: bytes, clients: int) -> None:
    """Sends a beginning, and then a byte a second; comes back where it is closed."""

    async def client() -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(content)
                while byte and not writer.is_closing():
                    await asyncio.sleep(1)
                    writer.write(byte)
                    await writer.drain()
                await asyncio.sleep(3600)
            except OSError:
                await asyncio.sleep(0.2)

    await asyncio.gather(*(client() for _ in range(clients)))


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return struct.pack("!I", len(content))[1:] + struct.pack("!BBI", kind, flags, stream) + content


async def _drop(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except OSError:
        return


async def _http_2(port: int, clients: int, *, resets: bool) -> None:
    """Opens streams of HTTP/2 and takes each back (or leaves it without an end)."""

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    # HPACK (RFC 7541, appendix A): POST, http, :path, :authority, authorization.
    fields = b"\x83\x86\x04" + text(CHAT) + b"\x01" + text("x")
    fields += b"\x0f\x08" + text(f"Bearer sk-{TEAM}")

    async def client() -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0))
                answers = asyncio.get_running_loop().create_task(_drop(reader))
                for stream in range(1, 2**20, 2):
                    if answers.done():
                        break
                    writer.write(_frame(1, 4, stream, fields))
                    if resets:
                        writer.write(_frame(3, 0, stream, struct.pack("!I", 8)))
                    await writer.drain()
                    await asyncio.sleep(0 if resets else 0.01)
            except OSError:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(client() for _ in range(clients)))


Abuse = Callable[[int, str], Coroutine[Any, Any, None]]


def _sends(make: Callable[[str], bytes], clients: int = 16) -> Abuse:
    return lambda port, model: _again(port, make(model), clients)


def _slow(content: bytes, byte: bytes, clients: int) -> Abuse:
    return lambda port, _: _slowly(port, content, byte, clients)


_LONG = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{KEY}{JSON}Content-Length: 1000000\r\n\r\n{{".encode()
_FORGED = (
    f"{KEY}x-team: honest\r\nx-model: x\r\nx-destination: overflow\r\nx-counted: 1\r\n"
    "x-envoy-max-retries: 9\r\nx-envoy-upstream-rq-timeout-ms: 1\r\nx-request-id: 1\r\n"
)

ABUSES: dict[str, Abuse] = {
    "bodies of 60 MiB, no key": _sends(lambda _: _post(b"[" * (60 * MIB), ""), 4),
    "bodies of 8 MiB, with a key": _sends(
        lambda _: _post(b'{"model":"m","messages":[' + b"{}," * (2 * MIB) + b"{}]}"), 4
    ),
    "slow headers, 1,000 clients": _slow(b"POST / HTTP/1.1\r\nx", b"x", 1000),
    "slow bodies, 1,000 clients": _slow(_LONG, b" ", 1000),
    "3,000 idle connections": _slow(b"", b"", 3000),
    "no key": _sends(lambda model: _post(asks(model), "")),
    "header bombs": _sends(lambda model: _post(asks(model), KEY + "x: 12345678\r\n" * 3000)),
    "HTTP/2: streams reset": lambda port, _: _http_2(port, 8, resets=True),
    "HTTP/2: streams without end": lambda port, _: _http_2(port, 8, resets=False),
    "JSON of 7 million levels": _sends(
        lambda _: _post(b'{"model":"m","messages":' + b"[" * (7 * MIB)), 4
    ),
    "a number of 7 million digits": _sends(
        lambda _: _post(b'{"model":"m","n":' + b"9" * (7 * MIB) + b"}"), 4
    ),
    "1,000 requests in flight of one team": _sends(
        lambda model: _post(asks(model, stream=True)), 1000
    ),
    "unknown paths": _sends(lambda _: _post(b"{}", KEY, "/v1/files?x=1")),
    "forged queries and headers": _sends(
        lambda model: _post(asks(model), _FORGED, f"{CHAT}?model=x")
    ),
}


async def _begin(name: str, port: int, model: str) -> None:
    going_on = asyncio.ensure_future(ABUSES[name](port, model))
    await asyncio.sleep(0.5)
    print("begun", flush=True)
    await going_on


if __name__ == "__main__":
    # Less important than who is measured: a machine of its own would not take their processor.
    os.nice(5)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    asyncio.run(_begin(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
