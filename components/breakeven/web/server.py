"""Serves the page on the loopback interface: three files and three questions, by GET alone.

Python's own server is enough for one person's page, and a closed network needs no further package.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from breakeven.errors import UserError
from breakeven.web.answers import refusal
from breakeven.web.explorer import Explorer
from breakeven.web.page import SERVED_POLICY, script, served_page, style_sheet

LOOPBACK = "127.0.0.1"

_HEADERS = {
    "Content-Security-Policy": SERVED_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageServer(ThreadingHTTPServer):
    """One stack's page.

    Attributes:
        explorer: Answers its questions.
    """

    daemon_threads = True

    def __init__(self, explorer: Explorer, port: int = 0) -> None:
        """Binds the port, a free one for 0.

        Raises:
            OSError: The port is taken.
        """
        super().__init__((LOOPBACK, port), _Handler)
        self.explorer = explorer
        self.computing = threading.Lock()
        page = served_page(explorer.name, explorer.today, explorer.controls)
        self.files = {
            "/": ("text/html", page),
            "/page.js": ("text/javascript", script()),
            "/page.css": ("text/css", style_sheet()),
        }
        self.questions: Mapping[str, Callable[[Mapping[str, str]], object]] = {
            "/api/bill": explorer.bill,
            "/api/whole": explorer.whole,
            "/api/levers": explorer.levers,
        }

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host header may say: a name that others resolve to this address may not."""
        return f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    server_version = "breakeven"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
            said = f"this page is at {self.server.url} alone. Open that address"
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", said)
            return
        if any(name in self.headers for name in ("Content-Length", "Transfer-Encoding")):
            # What is not read would be taken for the next request.
            self.close_connection = True
            self._answer(HTTPStatus.BAD_REQUEST, "text/plain", "a request here has no body")
            return
        target = urlsplit(self.path)
        if target.path in self.server.files:
            self._answer(HTTPStatus.OK, *self.server.files[target.path])
        elif target.path in self.server.questions and not self._is_from_another_site():
            self._question(target.path, target.query)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", "not found")

    def _is_from_another_site(self) -> bool:
        """Tells whether a page elsewhere asks, which could not read the answer but cause work."""
        return self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")

    def _question(self, path: str, query: str) -> None:
        started = time.perf_counter()
        try:
            state = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=64))
        except ValueError as error:
            self._json(HTTPStatus.BAD_REQUEST, {"mistake": str(error), "problems": []}, started)
            return
        try:
            with self.server.computing:
                answer = self.server.questions[path](state)
        except UserError as error:
            self._json(HTTPStatus.UNPROCESSABLE_ENTITY, refusal(error), started)
        else:
            self._json(HTTPStatus.OK, answer, started)

    def _json(self, status: HTTPStatus, answer: object, started: float) -> None:
        text = json.dumps(answer, ensure_ascii=False)
        passed = f"answer;dur={(time.perf_counter() - started) * 1000:.0f}"
        self._answer(status, "application/json", text, {"Server-Timing": passed})

    def _answer(
        self, status: HTTPStatus, kind: str, text: str, more: Mapping[str, str] | None = None
    ) -> None:
        body = text.encode()
        try:
            self.send_response(status)
            for name, value in {**_HEADERS, **(more or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the page has moved on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Says nothing: the terminal shows the address alone."""
