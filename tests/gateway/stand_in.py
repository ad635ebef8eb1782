"""A stand-in for vLLM's server and for a commercial API, as small as the tests need.

It answers every path that the gateway serves, whole or streamed, in the form of the real one, and
remembers what it was asked. Faults are set while it runs. Its words are numbered, so that a test
sees a word that is missing or said twice.
"""

from __future__ import annotations

import ctypes
import json
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.gateway.answers import PROMPT_TOKENS, WORDS, events, whole

__all__ = ["PROMPT_TOKENS", "WORDS", "Asked", "Faults", "StandIn"]

_SO_ATTACH_FILTER = 26  # Linux; Python's socket module does not name it
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction: return 0 bytes of every packet


@dataclass
class Faults:
    """What is wrong with it.

    Attributes:
        seconds_to_answer: Wait before the first byte.
        seconds_a_word: Wait between two words of a stream.
        status: HTTP status of every answer.
        dies_after_words: Cuts a stream, without an end, after so many words.
        closes: Closes the connection instead of an answer.
        repeats_prompt: Its errors repeat the whole request, as vLLM's 400 does.
        unhealthy: Its health check fails, while it answers.
        headers: Further response headers, such as ones that steer the gateway.
        usage: Whether answers tell their tokens at all.
        text: What it answers to everything, whole or as the events of a stream.
    """

    seconds_to_answer: float = 0.0
    seconds_a_word: float = 0.0
    status: int = 200
    dies_after_words: int | None = None
    closes: bool = False
    repeats_prompt: bool = False
    unhealthy: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    usage: bool = True
    text: bytes = b""


@dataclass
class Asked:
    """One request that came in.

    Attributes:
        method: Such as POST.
        path: With its query.
        headers: By lower-case name, in order.
        content: The body as it came.
        cut: Whether whoever asked went away, or the answer was cut.
    """

    method: str
    path: str
    headers: list[tuple[str, str]]
    content: bytes
    cut: bool = False

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    def header(self, name: str) -> str:
        """The values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key == name)


class StandIn:
    """A server on a port of its own of the loopback address, until it is stopped.

    Args:
        name: What its answers say, so that a test sees who gave them.
        host: Its address.
        port: Its port; a free one if 0.
        tells_usage_always: As `vllm serve --enable-force-include-usage` does in streams; an API
            does so on request only.
        context: Speaks TLS by it.
    """

    def __init__(
        self,
        name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tells_usage_always: bool = True,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.host = host
        self.context = context
        self.tells_usage_always = tells_usage_always
        self.faults = Faults()
        self.asked: list[Asked] = []
        self.running = 0
        self.most_running = 0
        self.lock = threading.Lock()
        self.speaks = threading.Event()
        self.speaks.set()
        self._open: set[Any] = set()
        self.port = port
        self._start()

    def begin_anew(self) -> None:
        """Is there, without faults and with nothing asked."""
        self.faults = Faults()
        self.asked.clear()
        self.most_running = 0
        if not self._runs:
            self._start()

    def _start(self) -> None:
        stand_in = self
        self._runs = True

        class Handler(_Handler):
            server_of = stand_in

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def get_request(self) -> tuple[Any, Any]:
                connection, address = super().get_request()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if stand_in.context is not None:
                    connection = stand_in.context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                stand_in._open.add(connection)
                return connection, address

            def shutdown_request(self, request: Any) -> None:
                stand_in._open.discard(request)
                super().shutdown_request(request)

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is not an error of the server."""

        self._server = Server((self.host, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def fall_silent(self) -> None:
        """Goes away as a machine does that has lost its network: nothing is even acknowledged.

        The kernel drops every packet that comes in for the server's sockets.
        """
        self.speaks.clear()
        program = ctypes.create_string_buffer(_DROP_ALL)
        attached = struct.pack("HL", 1, ctypes.addressof(program))
        for one in (self._server.socket, *list(self._open)):
            if one.fileno() >= 0:
                one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)

    def stop(self) -> None:
        """Goes away as a killed process does: every connection is closed at once."""
        self._runs = False
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(2)
                connection.close()
            except OSError:
                continue  # it was closed by the other side


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: StandIn

    def log_message(self, *args: object) -> None:
        """Says nothing; the tests read `asked`."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(503 if self.server_of.faults.unhealthy else 200, "text/plain", b"")
            return
        self._remember(b"")
        self.send_error(404)

    def do_POST(self) -> None:
        server, faults = self.server_of, self.server_of.faults
        asked = self._remember(self._content())
        with server.lock:
            server.running += 1
            server.most_running = max(server.most_running, server.running)
        try:
            time.sleep(faults.seconds_to_answer)
            self._answer(asked)
        except OSError:
            asked.cut = True
            self.close_connection = True
        finally:
            with server.lock:
                server.running -= 1

    def __getattr__(self, name: str) -> Any:
        # Any other method, so that a test sees that it came through.
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def _content(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _remember(self, content: bytes) -> Asked:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        asked = Asked(self.command, self.path, headers, content)
        with self.server_of.lock:
            self.server_of.asked.append(asked)
        return asked

    def _answer(self, asked: Asked) -> None:
        server, faults = self.server_of, self.server_of.faults
        if faults.closes:
            self.connection.shutdown(2)
            self.close_connection = True
            return
        if faults.status != 200:
            said = asked.content.decode(errors="replace") if faults.repeats_prompt else "stand-in"
            error = {"error": {"message": said, "type": "fault", "code": faults.status}}
            self._send(faults.status, "application/json", json.dumps(error).encode())
            return
        try:
            body = asked.body
        except ValueError:
            body = {}
        if faults.text:
            kind = "text/event-stream" if body.get("stream") else "application/json"
            self._send(200, kind, faults.text)
            return
        if body.get("stream"):
            self._stream(asked, body)
            return
        time.sleep(faults.seconds_a_word * WORDS)
        answer = whole(self.path, server.name, body)
        if not faults.usage:
            answer.pop("usage")
        self._send(200, "application/json", json.dumps(answer).encode())

    def _stream(self, asked: Asked, body: dict[str, Any]) -> None:
        server, faults = self.server_of, self.server_of.faults
        told = server.tells_usage_always or (body.get("stream_options") or {}).get("include_usage")
        server.speaks.wait()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        # In chunks, as vLLM's server does: a stream that ends without the last one was cut.
        self.send_header("Transfer-Encoding", "chunked")
        self._further_headers()
        self.end_headers()
        said = 0
        for event, is_word in events(
            self.path, server.name, body, usage=bool(told) and faults.usage
        ):
            if is_word and faults.dies_after_words == said:
                asked.cut = True
                self.connection.shutdown(2)
                self.close_connection = True
                return
            self._chunk(event)
            if is_word:
                said += 1
                time.sleep(faults.seconds_a_word)
        self._chunk(b"")

    def _chunk(self, content: bytes) -> None:
        self.server_of.speaks.wait()
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _further_headers(self) -> None:
        for name, value in self.server_of.faults.headers.items():
            self.send_header(name, value)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.server_of.speaks.wait()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self._further_headers()
        self.end_headers()
        self.wfile.write(content)
