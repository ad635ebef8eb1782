"""Which calls of a log reach a language model."""

from __future__ import annotations

import re

_KINDS = {
    "embedding": re.compile(r"embed"),
    "reranking": re.compile(r"rerank"),
    "moderation": re.compile(r"moderation"),
    "image": re.compile(r"images?[_/-](gen|edit|vari)|dall-e|text_to_image"),
    "speech": re.compile(r"transcri|speech|whisper|audio/|text_to_speech"),
}
"""Other calls than chats and completions, by how call types, endpoints and models are named."""

LONGEST_NAME = 120
"""Characters of a model's name that are kept."""


def other_call(call: object, model: object) -> str | None:
    """Returns why a call does not reach a language model; None where it does.

    Args:
        call: Its type, operation or endpoint, as the log has it.
        model: The model's name, as the log has it.
    """
    text = " ".join(value.lower() for value in (call, model) if isinstance(value, str))
    if not text:
        return None
    kind = next((kind for kind, words in _KINDS.items() if words.search(text)), None)
    return f"{kind} call, which reaches no language model" if kind else None


def model_name(value: object) -> str:
    """Returns a model's name as messages may show it: one line, cut; "" where there is none."""
    if not isinstance(value, str):
        return ""
    text = value.strip()[:LONGEST_NAME]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
