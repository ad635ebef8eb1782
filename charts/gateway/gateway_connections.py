"""How the gateway reaches the own replicas, and notices that a machine is gone."""

from __future__ import annotations

import socket

import httpx
from aiohttp import AddrInfoType, ClientSession, DummyCookieJar, TCPConnector

from gateway_replicas import SILENT_SECONDS

_CONNECT_SECONDS = 3.0  # within a cluster; the kernel asks a second time after one
_client = httpx.Client(timeout=2)


def addresses(host: str, port: int) -> list[str]:
    """Returns the addresses, with port, that a name has.

    Raises:
        OSError: It has none, or the name server does not answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({_joined(*address[4][:2]) for address in found})


def metrics(address: str) -> str:
    """Returns a replica's metrics.

    Raises:
        TimeoutError: It takes more than 2 s.
        OSError: It does not answer, or with an error.
    """
    try:
        return str(_client.get(f"http://{address}/metrics").raise_for_status().text)
    except httpx.TimeoutException as error:
        raise TimeoutError(address) from error
    except httpx.HTTPError as error:
        raise OSError(address) from error


def session_of_replicas() -> ClientSession:
    """Makes the connections over which requests go to own replicas; to be called in the event loop.

    They end when the other machine has been silent for SILENT_SECONDS. LiteLLM's own would wait for
    the whole answer's time-out.
    """
    connector = TCPConnector(limit=0, socket_factory=lost_when_silent)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())


class Once(httpx.AsyncBaseTransport):  # type: ignore[misc]  # httpx is not installed beside mypy
    """Sends a request over another transport, and never twice.

    LiteLLM sends what failed to the same replica again, over connections without our settings; the
    policy sends it to another one.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends it.

        Raises:
            httpx.NetworkError: The replica is not there, or went away.
            httpx.TimeoutException: The answer took longer than it may.
        """
        limits = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {**limits, "connect": _CONNECT_SECONDS}
        try:
            return await self._transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError) as error:
            raise httpx.NetworkError(str(error)) from error


def lost_when_silent(address: AddrInfoType) -> socket.socket:
    """Makes a socket that ends with an error when the other side has been silent for a while.

    A machine that is busy acknowledges, a lost one does not: TCP tells one from the other, however
    long an answer takes (tcp(7): TCP_KEEPIDLE, TCP_USER_TIMEOUT).
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.settimeout(0)
    # While an answer is awaited, the other side is asked whether it is there.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    # Also of a request that was sent and not acknowledged, for which nothing is asked.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SILENT_SECONDS * 1000))
    return made


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
