# ruff: noqa: INP001  # a program of an image, not a package
"""Answers as vLLM's server does, without a model: in its place where a test is not about vLLM.

    vllm serve FOLDER --served-model-name=NAME --port=PORT --middleware=MODULE.CLASS ...

It is started by the same arguments, behind the same middleware, with the same web server. The
folder must hold a model's files. A word takes 20 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn  # type: ignore[import-not-found]  # of vLLM's packages

SECONDS_A_WORD = 0.02
USUAL_WORDS = 16


def options() -> argparse.Namespace:
    """The arguments that matter here; vLLM has many more."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--middleware", action="append", default=[])
    parser.add_argument("--shutdown-timeout", type=int, default=60)
    chosen, _ = parser.parse_known_args()
    return chosen


def chunk(model: str, **choice: Any) -> dict[str, Any]:
    """A part of an answer."""
    common = {"id": "chatcmpl-stand-in", "created": int(time.time()), "model": model}
    return {**common, "object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}


async def read(receive: Any) -> bytes:
    """The body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def begin(send: Any, status: int, kind: str) -> None:
    """Send what comes before the body."""
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def answer(send: Any, status: int, value: object, kind: str = "application/json") -> None:
    """Send a whole answer."""
    await begin(send, status, kind)
    text = value if isinstance(value, str) else json.dumps(value)
    await send({"type": "http.response.body", "body": text.encode()})


async def stream(send: Any, model: str, words: int, usage: dict[str, int]) -> None:
    """Send an answer word by word."""
    await begin(send, 200, "text/event-stream; charset=utf-8")

    async def event(value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        data = f"data: {text}\n\n".encode()
        await send({"type": "http.response.body", "body": data, "more_body": True})

    for number in range(words):
        await asyncio.sleep(SECONDS_A_WORD)
        last = "length" if number == words - 1 else None
        await event(chunk(model, delta={"content": f"word{number} "}, finish_reason=last))
    await event({**chunk(model), "choices": [], "usage": usage})
    await event("[DONE]")
    await send({"type": "http.response.body", "body": b""})


class App:
    """The web application (ASGI)."""

    def __init__(self, model: str, key: str) -> None:
        self.model = model
        self.key = key
        self.running = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            for told in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{told}.complete"})
            return
        path, headers = scope["path"], dict(scope["headers"])
        if path == "/health":
            await answer(send, 200, "", "text/plain")
        elif path == "/metrics":
            await answer(send, 200, self.metrics(), "text/plain; version=0.0.4")
        elif headers.get(b"authorization") != f"Bearer {self.key}".encode():
            await answer(send, 401, {"error": "Unauthorized"})
        elif path != "/v1/chat/completions":
            await answer(send, 404, {"detail": "Not Found"})
        else:
            self.running += 1
            try:
                await self.chat(json.loads(await read(receive)), send)
            finally:
                self.running -= 1

    async def chat(self, asked: dict[str, Any], send: Any) -> None:
        """Answer a chat completion, of as many words as tokens were asked for."""
        words = int(asked.get("max_completion_tokens") or asked.get("max_tokens") or USUAL_WORDS)
        usage = {"prompt_tokens": 9, "completion_tokens": words, "total_tokens": 9 + words}
        if asked.get("stream"):
            await stream(send, self.model, words, usage)
            return
        await asyncio.sleep(words * SECONDS_A_WORD)
        message = {"role": "assistant", "content": " ".join(f"word{n}" for n in range(words))}
        [choice] = chunk(self.model, message=message, finish_reason="length")["choices"]
        whole = {**chunk(self.model), "object": "chat.completion", "choices": [choice]}
        await answer(send, 200, {**whole, "usage": usage})

    def metrics(self) -> str:
        """What the autoscaler reads."""
        labels = f'{{model_name="{self.model}",engine="0"}}'
        figures = {"num_requests_running": self.running, "num_requests_waiting": 0}
        return "".join(
            f"# TYPE vllm:{name} gauge\nvllm:{name}{labels} {value}\n"
            for name, value in figures.items()
        )


def main() -> None:
    """Serve until the signal to stop."""
    chosen = options()
    if not (chosen.folder / "config.json").is_file():
        sys.exit(f"{chosen.folder} has no model's config.json")
    app: Any = App(chosen.served_model_name, os.environ["VLLM_API_KEY"])
    for name in chosen.middleware:
        module, _, kind = name.rpartition(".")
        app = getattr(importlib.import_module(module), kind)(app)
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104  # of a pod
        port=chosen.port,
        access_log=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=chosen.shutdown_timeout,
    )


if __name__ == "__main__":
    main()
