# ruff: noqa: INP001  # files of a pod, not a package
"""Stands between vLLM and its callers: no request without key, no answer cut in silence.

vLLM loads it by --middleware. leave.py, the pod's preStop hook, tells it that the pod leaves. It
guards against what vLLM was seen to do (docs/vllm.md):

- Its own check of the key covers some paths only; /invocations generates text for anybody. Here
  every path but two asks for the key.
- While it drains, /health stays 200 and new requests get status 500. Here /health is 503 from the
  moment the pod leaves, kept connections are closed so that clients go elsewhere, and a request
  that still comes just before the signal to stop, or after it, gets 503 with Retry-After.
- A stream that outlives --shutdown-timeout hangs without a word until the kill. Here what still
  runs just before that ends with an error that clients see.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = "/health"
# Probes and Prometheus have no key.
OPEN = (HEALTH, "/metrics")

# Files that the hook writes, in this order.
LEAVING = "leaving"
STOPPING = "stopping"

_WATCH_SECONDS = 0.25
# For vLLM to notice that a client has left, before its work is cancelled.
_ABORT_SECONDS = 2.0

_EVENT_STREAM = b"text/event-stream"


class RequestGuard:
    """Middleware (ASGI) around vLLM's web application.

    Environment: VLLM_API_KEY is what callers must send; REQUEST_GUARD_FOLDER is where the hook
    writes; REQUEST_GUARD_SECONDS is how long requests may run on after the signal to stop.

    Args:
        app: What it stands in front of.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._key = _digest(os.environ["VLLM_API_KEY"])
        self._folder = Path(os.environ["REQUEST_GUARD_FOLDER"])
        self._seconds = float(os.environ["REQUEST_GUARD_SECONDS"])
        self._watching: asyncio.Task[None] | None = None
        self._leaving = False
        self._stopping = False
        self._over = asyncio.Event()
        # The folder outlives a container that is restarted in its pod.
        for name in (LEAVING, STOPPING):
            (self._folder / name).unlink(missing_ok=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection or, for types other than those two, pass it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        # Looked at again here, because the watch may be late on a busy loop.
        self._stopping = self._stopping or (self._leaving and (self._folder / STOPPING).exists())
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._leaving and path == HEALTH:
            await _refuse(scope, receive, send, 503, "this replica is leaving")
        elif path in OPEN and scope["type"] == "http":
            await self._app(scope, receive, send)
        elif not _is_preflight(scope) and not self._has_key(scope):
            await _refuse(scope, receive, send, 401, "a valid key is needed")
        elif self._stopping:
            await _refuse(scope, receive, send, 503, "this replica has stopped taking requests")
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await _Request(self._app, self._over, lambda: self._leaving).run(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, key = b"".join(given[:1]).decode("latin-1").partition(" ")
        return secrets.compare_digest(_digest(key), self._key) and scheme.lower() == "bearer"

    async def _watch(self) -> None:
        while not (self._folder / STOPPING).exists():
            self._leaving = self._leaving or (self._folder / LEAVING).exists()
            await asyncio.sleep(_WATCH_SECONDS)
        self._leaving = self._stopping = True
        await asyncio.sleep(self._seconds)
        self._over.set()


def _is_preflight(scope: Scope) -> bool:
    """Tells whether a browser asks what it may send, which it does without a key.

    vLLM's own middleware answers that; no route sees it. Any other OPTIONS asks for the key.
    """
    names = {name for name, _ in scope["headers"]}
    return (
        scope.get("method") == "OPTIONS"
        and b"origin" in names
        and b"access-control-request-method" in names
    )


class _Request:
    """One request, which ends when the time of the replica is over."""

    def __init__(self, app: App, over: asyncio.Event, leaving: Callable[[], bool]) -> None:
        self._app = app
        self._over = over
        self._leaving = leaving
        self._started = self._ended = self._streams = False

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_until_over() -> Message:
            return await self._receive(receive)

        async def send_until_over(message: Message) -> None:
            await self._send(send, message)

        work = asyncio.ensure_future(self._app(scope, receive_until_over, send_until_over))
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                # To vLLM it looks as if the client had left: it frees what the request holds.
                await asyncio.wait({work}, timeout=_ABORT_SECONDS)
        finally:
            over.cancel()
            cut_off = not work.done() or self._over.is_set()
            work.cancel()
        if not cut_off:
            work.result()
        elif not self._ended:
            with suppress(Exception, asyncio.CancelledError):
                await work  # what it says of a client that left is of no interest
            await self._say_that_it_is_over(scope, receive, send)

    async def _receive(self, receive: Receive) -> Message:
        message = asyncio.ensure_future(receive())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() else {"type": "http.disconnect"}
        finally:
            message.cancel()
            over.cancel()

    async def _send(self, send: Send, message: Message) -> None:
        if self._over.is_set():
            gone = "the replica's time is over"
            raise OSError(gone)
        if message["type"] == "http.response.start":
            self._started = True
            headers = list(message.get("headers", ()))
            self._streams = any(
                name.lower() == b"content-type" and value.startswith(_EVENT_STREAM)
                for name, value in headers
            )
            if self._leaving():
                # Else a client that keeps its connection would come again after the stop.
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            self._ended = not message.get("more_body", False)
        await send(message)

    async def _say_that_it_is_over(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = "the replica was stopped before the answer was complete"
        if not self._started:
            await _refuse(scope, receive, send, 503, text)
        elif self._streams:
            event = b"data: " + json.dumps(_error(text, 503)).encode() + b"\n\n"
            await send({"type": "http.response.body", "body": event, "more_body": False})
        else:
            # The server closes the connection, and the client misses the end.
            raise ConnectionAbortedError(text)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    body = json.dumps(_error(text, status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 503:  # noqa: PLR2004  # Service Unavailable
        headers += [(b"retry-after", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _error(text: str, status: int) -> dict[str, Any]:
    # As vLLM and OpenAI write errors: their clients raise it, also in the middle of a stream.
    kinds = {401: "authentication_error", 503: "service_unavailable_error"}
    return {"error": {"message": text, "type": kinds[status], "param": None, "code": status}}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
