"""What vLLM and an API answer on each path, whole and in a stream, with their tokens.

The forms are those of OpenAI's API (chat completions, completions, responses, embeddings), of
Anthropic's (messages) and of vLLM (rerank, score).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

WORDS = 20
"""Tokens of every answer that has words."""
PROMPT_TOKENS = 10
"""Tokens of every prompt."""


def spent(path: str) -> int:
    """The tokens of one request."""
    return PROMPT_TOKENS + (WORDS if says_words(path) else 0)


def says_words(path: str) -> bool:
    """Whether answers of a path have words, so that they can be streamed."""
    return path.partition("?")[0] in (
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
    )


def whole(  # noqa: PLR0911  # one for each form
    path: str, name: str, body: dict[str, Any]
) -> dict[str, Any]:
    """A whole answer."""
    path, model = path.partition("?")[0], body.get("model", "")
    said = " ".join(f"{name}{number}" for number in range(WORDS))
    match path:
        case "/v1/chat/completions":
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return _openai("chat.completion", model, [choice])
        case "/v1/completions":
            return _openai("text_completion", model, [{"index": 0, "text": said}])
        case "/v1/responses":
            return _response(model, said)
        case "/v1/messages":
            return {
                "id": "1",
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [{"type": "text", "text": said}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": WORDS},
            }
        case "/v1/rerank":
            result = {"index": 0, "relevance_score": 0.5}
            return {"id": "1", "model": model, "results": [result], "usage": _read_only()}
        case "/v1/embeddings":
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
            return {"object": "list", "model": model, "data": data, "usage": _read_only()}
        case _:
            data = [{"object": "score", "index": 0, "score": 0.5}]
            return {"object": "list", "model": model, "data": data, "usage": _read_only()}


def events(
    path: str, name: str, body: dict[str, Any], *, usage: bool
) -> Iterator[tuple[bytes, bool]]:
    """The events of a stream, each with whether it is a word."""
    path, model = path.partition("?")[0], body.get("model", "")
    words = [f"{name}{number} " for number in range(WORDS)]
    if path == "/v1/responses":
        yield _event({"type": "response.created", "response": {"id": "1", "usage": None}}), False
        for word in words:
            yield _event({"type": "response.output_text.delta", "delta": word}), True
        done = _response(model, "".join(words))
        yield _event({"type": "response.completed", "response": done}), False
    elif path == "/v1/messages":
        begun = {"input_tokens": PROMPT_TOKENS, "output_tokens": 0}
        yield _event({"type": "message_start", "message": {"id": "1", "usage": begun}}), False
        for word in words:
            delta = {"type": "text_delta", "text": word}
            yield _event({"type": "content_block_delta", "index": 0, "delta": delta}), True
        spent_all = {"input_tokens": PROMPT_TOKENS, "output_tokens": WORDS}
        stop = {"stop_reason": "end_turn"}
        yield _event({"type": "message_delta", "delta": stop, "usage": spent_all}), False
        yield _event({"type": "message_stop"}), False
    else:
        kind = "chat.completion.chunk" if "chat" in path else "text_completion"
        for word in words:
            choice: dict[str, Any] = {"index": 0, "finish_reason": None}
            choice |= {"delta": {"content": word}} if "chat" in path else {"text": word}
            yield _event(_chunk(kind, model, [choice])), True
        last = {"index": 0, "finish_reason": "stop", "delta": {}, "text": ""}
        yield _event(_chunk(kind, model, [last])), False
        if usage:
            yield _event(_chunk(kind, model, []) | {"usage": _usage()}), False
        yield b"data: [DONE]\n\n", False


def _event(content: dict[str, Any]) -> bytes:
    named = f"event: {content['type']}\n" if "type" in content else ""
    return f"{named}data: {json.dumps(content)}\n\n".encode()


def _openai(kind: str, model: str, choices: list[Any]) -> dict[str, Any]:
    return _chunk(kind, model, choices) | {"usage": _usage()}


def _chunk(kind: str, model: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": model, "choices": choices}


def _response(model: str, said: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": said}]
    return {
        "id": "1",
        "object": "response",
        "model": model,
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": content}],
        "usage": {
            "input_tokens": PROMPT_TOKENS,
            "output_tokens": WORDS,
            "total_tokens": PROMPT_TOKENS + WORDS,
        },
    }


def _usage() -> dict[str, int]:
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": WORDS,
        "total_tokens": PROMPT_TOKENS + WORDS,
    }


def _read_only() -> dict[str, int]:
    return {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS}
