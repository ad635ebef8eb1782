"""Which calls of a log reach a language model."""

from __future__ import annotations

import re
from functools import lru_cache

_KINDS = {
    "embedding": re.compile(r"embed"),
    "reranking": re.compile(r"rerank"),
    "moderation": re.compile(r"moderation"),
    "image": re.compile(r"images?[_/-](gen|edit|vari)|dall-e|text_to_image"),
    "speech": re.compile(r"transcri|speech|whisper|audio/|text_to_speech"),
}
"""Calls other than chats and completions, by names of call types, endpoints and models."""

LONGEST_NAME = 120
"""Maximum length of a model's name; the rest is cut."""


def other_call(call: object, model: object) -> str | None:
    """Returns why a call does not reach a language model; None if it does.

    Args:
        call: Its type, operation or endpoint in the log.
        model: The model's name in the log.
    """
    return _other(call if isinstance(call, str) else "", model if isinstance(model, str) else "")


@lru_cache(maxsize=10_000)
def _other(call: str, model: str) -> str | None:
    text = f"{call} {model}".lower()
    kind = next((kind for kind, words in _KINDS.items() if words.search(text)), None)
    return f"{kind} call, which reaches no language model" if kind else None


def model_name(value: object) -> str:
    """Returns a model's name for messages: one line, shortened; empty if there is none."""
    return _name(value) if isinstance(value, str) else ""


@lru_cache(maxsize=10_000)
def _name(value: str) -> str:
    text = value.strip()[:LONGEST_NAME]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
