"""A client of the gateway, and what it got."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CHAT = "/v1/chat/completions"
SERVED_BY = "x-served-by"


@dataclass(frozen=True)
class Answer:
    """What a client got: `by` is own or api; None if nobody answered."""

    status: int
    by: str | None
    text: str
    seconds: float
    headers: Mapping[str, str]
    cut: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is an answer, and not cut."""
        return self.status == 200 and not self.cut and '"error"' not in self.text

    def words(self) -> list[str]:
        """The numbers of an answer's words, whole or streamed, in order."""
        text = self.text.partition("event: response.completed")[0]  # says all of them once more
        return re.findall(r"\b(?:own|api)(\d+)", text)


class Client:
    """Asks one gateway on loopback.

    Args:
        port: Of the gateway.
        model: What requests ask for if they do not say.
    """

    def __init__(self, port: int, model: str) -> None:
        self.port = port
        self.model = model
        self.trusts: ssl.SSLContext | None = None
        """Whom it believes that the gateway is the gateway; None for plain HTTP."""

    def _connection(self) -> http.client.HTTPConnection:
        if self.trusts is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        return http.client.HTTPSConnection("localhost", self.port, timeout=90, context=self.trusts)

    def ask(
        self,
        key: str = "sk-product",
        *,
        path: str = CHAT,
        text: str = "hello",
        stream: bool = False,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        **parameters: object,
    ) -> Answer:
        """Asks as a client does."""
        body = {"model": self.model, **prompt(path, text), **parameters}
        if stream:
            body["stream"] = True
        return self.call("POST", path, key=key, body=body, headers=headers)

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None,
        body: object = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Sends any request; a body of bytes as it is, else as JSON."""
        started = time.monotonic()
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if key is not None:
            pairs.append(("Authorization", f"Bearer {key}"))
        content = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("Content-Type", "application/json"))
        if content or method in ("POST", "PUT", "PATCH"):
            pairs.append(("Content-Length", str(len(content))))
        connection = self._connection()
        connection.putrequest(method, path)
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders()
        with contextlib.suppress(OSError):  # refused before all was sent; the answer says why
            connection.send(content)
        return _read(connection, started)

    def leave_early(self, key: str = "sk-product", *, after_bytes: int = 10) -> None:
        """Asks for a stream and goes away after its first part."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = {"model": self.model, **prompt(CHAT, "hello"), "stream": True}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        connection.request("POST", CHAT, json.dumps(body), headers)
        connection.getresponse().read(after_bytes)
        connection.close()

    def raw(self, content: bytes, *, seconds: float = 5.0) -> bytes:
        """Sends bytes and returns all that comes back until the other side closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(content)
            parts = []
            try:
                while part := connection.recv(65536):
                    parts.append(part)
            except (TimeoutError, ConnectionResetError):
                pass
            return b"".join(parts)


def prompt(path: str, text: str) -> dict[str, object]:
    """The part of a request that holds its text, in the form of a path."""
    match path:
        case "/v1/completions":
            return {"prompt": text}
        case "/v1/responses" | "/v1/embeddings":
            return {"input": text}
        case "/v1/rerank":
            return {"query": text, "documents": ["a", "b"]}
        case "/v1/score":
            return {"text_1": text, "text_2": "b"}
        case "/v1/messages":
            return {"messages": [{"role": "user", "content": text}], "max_tokens": 64}
        case _:
            return {"messages": [{"role": "user", "content": text}]}


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _read(connection: http.client.HTTPConnection, started: float) -> Answer:
    cut, text = False, ""
    try:
        response = connection.getresponse()
    except (OSError, http.client.HTTPException):
        return Answer(0, None, "", time.monotonic() - started, {}, cut=True)
    try:
        text = response.read().decode(errors="replace")
    except http.client.IncompleteRead as error:
        cut, text = True, error.partial.decode(errors="replace")
    except (OSError, http.client.HTTPException):
        cut = True
    found = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    taken = time.monotonic() - started
    return Answer(response.status, found.get(SERVED_BY), text, taken, found, cut)


def statuses(answers: Iterable[Answer]) -> set[int]:
    """The statuses that occur."""
    return {one.status for one in answers}
