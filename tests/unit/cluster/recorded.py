"""A stand-in for an API server that answers what is recorded, over HTTP on the loopback interface.

The real API server of the rig answers in tests/cluster. This one is for what a test cannot bring
about there at all, and for unit tests, which need Python only.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

TOKEN = "token-of-the-kubeconfig-that-nobody-may-see"  # of a stand-in


@dataclass
class Recorded:
    """What is answered, and what was asked.

    Attributes:
        answers: By method and path without query, by path, or by method: a status and a body, the
            body of a 200, or a function to either from the call's body, of a GET from its target.
        calls: Method, path with query and body of each call, in order.
        dies_after: Calls after which it stops answering; None for never.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    dies_after: int | None = None

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        self.calls.append((method, target, body))
        path = urlsplit(target).path
        found = self.answers.get(f"{method} {path}", self.answers.get(path))
        if found is None and method != "GET":
            found = self.answers.get(method)
        if callable(found):
            found = found(target if method == "GET" else body)
        if found is None:
            return 404, {"kind": "Status", "reason": "NotFound", "message": f"no {path}"}
        return found if isinstance(found, tuple) else (200, found)


@contextmanager
def serving(recorded: Recorded) -> Iterator[str]:
    """Serves recorded answers; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            if recorded.dies_after is not None and len(recorded.calls) >= recorded.dies_after:
                self.close_connection = True
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, told = recorded.answer(self.command, self.path, body)
            data = told.encode() if isinstance(told, str) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  # names of the library

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_kubeconfig(path: Path, address: str, contexts: Mapping[str, str] | None = None) -> Path:
    """Writes a kubeconfig with a token.

    Args:
        path: Where to.
        address: Of the API server.
        contexts: Namespace by name of the context; the first one is current.
    """
    named = contexts or {"here": "llm"}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": next(iter(named)),
                "contexts": [
                    {"name": name, "context": {"cluster": "c", "user": "u", "namespace": space}}
                    for name, space in named.items()
                ],
                "clusters": [{"name": "c", "cluster": {"server": address}}],
                "users": [{"name": "u", "user": {"token": TOKEN}}],
            }
        ),
        encoding="utf-8",
    )
    return path
