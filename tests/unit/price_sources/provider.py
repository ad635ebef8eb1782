"""A price provider on this machine: serves scripted answers, and notes what it was asked.

A stand-in for the real services, which tests cannot reach. The forms of its answers are those of
the providers' documentation, named where they are made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Answer:
    """What a request gets.

    Attributes:
        body: Its body.
        status: Its status.
        headers: Further headers.
        missing: Bytes that are announced but never sent.
        silent: Seconds until the body is sent, or until the server gives up.
        trickle: Seconds between single bytes of the body.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    silent: float = 0
    trickle: float = 0


@dataclass(frozen=True)
class Asked:
    """A request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Script: TypeAlias = Callable[[Asked], Answer]


@dataclass
class Provider:
    """The server.

    Attributes:
        url: Its address.
        script: Answers a request.
        faults: Answers that are given first, in turn, whatever is asked.
        asked: Requests so far.
    """

    url: str
    script: Script = lambda _: Answer(status=404)
    faults: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(self, asked: Asked) -> Answer:
        """Notes a request and answers it."""
        self.asked.append(asked)
        return self.faults.pop(0) if self.faults else self.script(asked)


@contextmanager
def providing() -> Iterator[Provider]:
    """Runs a provider on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = provider.answer(Asked(parts.path, query, headers))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + answer.missing))
            self.end_headers()
            provider.stopped.wait(answer.silent)
            try:
                if answer.trickle:
                    for number in range(len(answer.body)):
                        self.wfile.write(answer.body[number : number + 1])
                        self.wfile.flush()
                        time.sleep(answer.trickle)
                else:
                    self.wfile.write(answer.body)
            except OSError:  # the client left
                self.close_connection = True
            if answer.missing:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # of its base
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        provider.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
