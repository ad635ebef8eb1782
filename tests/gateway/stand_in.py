"""A stand-in for vLLM's OpenAI server and for a commercial API, as small as the tests need.

It answers POST /v1/chat/completions, whole or streamed, and GET /metrics with vLLM's two series of
requests, and remembers what it was asked. Faults are set while it runs.

Its words are numbered, so that a test sees a word that is missing or said twice.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = 20
"""Tokens of every answer; every prompt counts as 10."""

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
    """

    seconds_to_answer: float = 0.0
    seconds_a_word: float = 0.0
    status: int = 200
    dies_after_words: int | None = None


@dataclass
class Asked:
    """One request that came in."""

    authorization: str
    body: dict[str, Any]
    cut: bool = False


class StandIn:
    """A server on a port of its own of the loopback address, until it is stopped.

    Args:
        name: What its answers say, so that a test sees who gave them.
        host: Its address.
        port: Its port; a free one if 0.
    """

    def __init__(self, name: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.name = name
        self.faults = Faults()
        self.asked: list[Asked] = []
        self.running = 0
        self.lock = threading.Lock()
        self.speaks = threading.Event()
        self.speaks.set()
        self._open: set[Any] = set()
        stand_in = self

        class Handler(_Handler):
            server_of = stand_in

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def get_request(self) -> tuple[Any, Any]:
                connection, address = super().get_request()
                stand_in._open.add(connection)
                return connection, address

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is no error of the server."""

        self._server = Server((host, port), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def fall_silent(self) -> None:
        """Goes away as a machine does that has lost its network: nothing is even acknowledged.

        The kernel drops every packet that comes in for the server's sockets.
        """
        self.speaks.clear()
        program = ctypes.create_string_buffer(_DROP_ALL)
        attached = struct.pack("HL", 1, ctypes.addressof(program))
        for one in (self._server.socket, *self._open):
            if one.fileno() >= 0:
                one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)

    def stop(self) -> None:
        """Goes away as a killed process does: every connection is closed at once."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:
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
        if self.path != "/metrics":
            self.send_error(404)
            return
        running = self.server_of.running
        self._send(
            200,
            "text/plain",
            f'vllm:num_requests_running{{engine="0",model_name="m"}} {float(running)}\n'
            'vllm:num_requests_waiting{engine="0",model_name="m"} 0.0\n'.encode(),
        )

    def do_POST(self) -> None:
        server, faults = self.server_of, self.server_of.faults
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = Asked(self.headers.get("Authorization", ""), body)
        with server.lock:
            server.asked.append(asked)
            server.running += 1
        try:
            time.sleep(faults.seconds_to_answer)
            if faults.status != 200:
                error = {"error": {"message": "stand-in", "type": "fault", "code": faults.status}}
                self._send(faults.status, "application/json", json.dumps(error).encode())
            elif body.get("stream"):
                self._stream(asked)
            else:
                time.sleep(faults.seconds_a_word * WORDS)
                self._send(200, "application/json", json.dumps(self._whole(body)).encode())
        except OSError:
            asked.cut = True
            self.close_connection = True
        finally:
            with server.lock:
                server.running -= 1

    def _whole(self, body: dict[str, Any]) -> dict[str, Any]:
        words = [f"{self.server_of.name}{number}" for number in range(WORDS)]
        message = {"role": "assistant", "content": " ".join(words)}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _usage(0),
        }

    def _stream(self, asked: Asked) -> None:
        faults = self.server_of.faults
        said = _already_said(asked.body)
        self.server_of.speaks.wait()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        # In chunks, as vLLM's server does: a stream that ends without the last one was cut.
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(said, WORDS):
            if faults.dies_after_words == number:
                asked.cut = True
                self.connection.shutdown(2)
                self.close_connection = True
                return
            # What it goes on with was given without the space at its end.
            space = " " if said and number == said else ""
            word = f"{space}{self.server_of.name}{number} "
            delta = {"role": "assistant", "content": word}
            self._event(asked.body, [{"index": 0, "delta": delta, "finish_reason": None}])
            time.sleep(faults.seconds_a_word)
        self._event(asked.body, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
        self._event(asked.body, [], usage=_usage(said))
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, body: dict[str, Any], choices: list[Any], **more: object) -> None:
        chunk = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": body["model"],
            "choices": choices,
            **more,
        }
        self._chunk(f"data: {json.dumps(chunk)}\n\n".encode())

    def _chunk(self, content: bytes) -> None:
        self.server_of.speaks.wait()
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.server_of.speaks.wait()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _already_said(body: dict[str, Any]) -> int:
    """The words of an answer that is to be gone on with."""
    if not body.get("continue_final_message"):
        return 0
    assert body["add_generation_prompt"] is False
    last = body["messages"][-1]
    assert last["role"] == "assistant"
    assert last["content"] == last["content"].rstrip()
    return len(last["content"].split())


def _usage(said: int) -> dict[str, int]:
    return {
        "prompt_tokens": 10 + said,
        "completion_tokens": WORDS - said,
        "total_tokens": 10 + WORDS,
    }
