"""A client that tells a whole answer from a cut one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

_PATIENCE = aiohttp.ClientTimeout(total=600, sock_connect=10)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(url: str, *, key: str = "", method: str = "GET", body: object = None) -> Answer:
    """Sends one request on a connection of its own.

    Raises:
        aiohttp.ClientError: There was no answer, or half of one; OSError if nothing listens.
    """
    return asyncio.run(_ask(url, key, method, body))


async def _ask(url: str, key: str, method: str, body: object) -> Answer:
    async with (
        aiohttp.ClientSession(timeout=_PATIENCE) as session,
        session.request(method, url, headers=authorised(key), json=body) as response,
    ):
        return Answer(response.status, dict(response.headers), await response.text())


def authorised(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


@dataclass(frozen=True)
class Stream:
    """How a stream of tokens ended."""

    status: int
    tokens: int
    reason: str
    done: bool
    error: str
    stays: bool = False
    """The connection is kept for the next request."""

    def is_whole(self, tokens: int) -> bool:
        return self.done and self.reason == "length" and self.tokens == tokens

    @property
    def was_refused(self) -> bool:
        """Refused in a way that says: send it elsewhere."""
        return self.status in {0, 503} and self.tokens == 0 and self is not CLOSED_CONNECTION


REFUSED_CONNECTION = Stream(0, 0, "", done=False, error="connection refused")
CLOSED_CONNECTION = Stream(0, 0, "", done=False, error="closed without an answer")


async def stream(
    session: aiohttp.ClientSession, address: str, key: str, model: str, tokens: int
) -> Stream:
    """Asks for a number of tokens, as a stream, and reads it to its end."""
    body = {
        "model": model,
        "prompt": "a",
        "max_tokens": tokens,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    try:
        async with session.post(
            f"{address}/v1/completions", json=body, headers=authorised(key)
        ) as response:
            return await _read(response)
    except aiohttp.ClientOSError:
        # Refused, or closed before the request was sent.
        return REFUSED_CONNECTION
    except aiohttp.ServerDisconnectedError:
        return CLOSED_CONNECTION


async def _read(response: aiohttp.ClientResponse) -> Stream:
    if response.status != 200:
        return Stream(response.status, 0, "", done=False, error=await response.text())
    tokens, reason, done, error = 0, "", False, ""
    try:
        async for line in response.content:
            text = line.decode().removeprefix("data: ").strip()
            if text == "[DONE]":
                done = True
            elif text:
                event = json.loads(text)
                error = error or json.dumps(event.get("error", "")).strip('"')
                tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
                for choice in event.get("choices", ()):
                    reason = choice["finish_reason"] or reason
    except (aiohttp.ClientError, OSError) as broken:
        error = f"{type(broken).__name__}: {broken}"
    stays = response.headers.get("Connection") != "close"
    return Stream(response.status, tokens, reason, done=done, error=error, stays=stays)
