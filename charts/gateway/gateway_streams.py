"""A stream whose replica is lost, and how another replica goes on with it.

The other replica is asked for the same answer with what the client has already: the beginning of
the answer. Only text goes on. Tool calls, structured output, reasoning and several answers at once
have a state in the engine that their text does not tell.

Knows nothing of LiteLLM, so that its rules are tested without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STATE_IN_THE_ENGINE = (
    "tools",
    "response_format",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
    "min_tokens",
    "echo",
    "suffix",
)
_LIMITS = ("max_tokens", "max_completion_tokens")


class Said:
    """What a stream has said so far, chunk by chunk, over one replica or several."""

    def __init__(self) -> None:
        self._text = ""
        self._parts = 0
        self._plain = True
        self._first: Any = None
        self._seam = ""  # whitespace that the client has, and that the next replica says again
        self._before = 0  # parts that earlier replicas said

    def add(self, chunk: Any) -> Any:
        """Takes a chunk that LiteLLM made, and returns it as one of the same stream.

        A later replica's chunks get the first one's identity, and its count of tokens is split
        anew: what it was given of the answer, it counted as input. A chunk counts as one token,
        which is what vLLM sends unless it speculates.
        """
        if self._first is None:
            self._first = chunk
        elif self._before:
            chunk.id, chunk.created = self._first.id, self._first.created
        for choice in chunk.choices:
            self._add(choice)
        usage = getattr(chunk, "usage", None)
        if usage is not None and self._before:
            usage.prompt_tokens -= self._before
            usage.completion_tokens += self._before
        return chunk

    def rest(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns the request by which another replica goes on; None where none can.

        Args:
            request: What the client asked, in OpenAI's form, of chat or of completions.
        """
        if not self._plain or request.get("n") not in (None, 1):
            return None
        if any(request.get(name) not in (None, False) for name in _STATE_IN_THE_ENGINE):
            return None
        # Templates of chats cut whitespace off at the end, so the next replica says it again.
        beginning = self._text.rstrip()
        rest = dict(request)
        if beginning and "messages" in request:
            answer = {"role": "assistant", "content": beginning}
            rest["messages"] = [*request["messages"], answer]
            rest |= {"continue_final_message": True, "add_generation_prompt": False}
        elif beginning:
            if not isinstance(request.get("prompt"), str):
                return None
            rest["prompt"] = request["prompt"] + beginning
        for limit in _LIMITS:
            if request.get(limit) is not None:
                rest[limit] = max(1, int(request[limit]) - self._parts)
        self._seam = self._text[len(beginning) :]
        self._before = self._parts
        return rest

    def _add(self, choice: Any) -> None:
        part = getattr(choice, "delta", None) or choice
        name = "text" if part is choice else "content"
        said = getattr(part, name, None)
        others = ("tool_calls", "function_call", "reasoning_content", "audio")
        if choice.index != 0 or any(getattr(part, other, None) for other in others):
            self._plain = False
        if not said:
            return
        self._parts += 1
        while said and self._seam and said[0] == self._seam[0]:
            said, self._seam = said[1:], self._seam[1:]
        if said:
            self._seam = ""
        setattr(part, name, said)
        self._text += said
