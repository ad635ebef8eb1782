"""What the gateway asks of a replica that is to go on with another one's answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateway_streams import Said
from tests.vllm.conftest import Start
from tests.vllm.server import Server

STACK = "hybrid"
CHAT = {"messages": [{"role": "user", "content": "Say the numbers."}]}
COMPLETION = {"prompt": "One, two"}
BEGINNING = " three, four,"


@pytest.mark.parametrize(
    ("path", "asked"), [("/v1/chat/completions", CHAT), ("/v1/completions", COMPLETION)]
)
def test_an_answer_goes_on_after_its_beginning(
    start: Start, path: str, asked: dict[str, Any]
) -> None:
    server = start(STACK)
    server.wait_until_ready()
    request = {"model": server.engine.model, **asked, "max_tokens": 9}
    rest = _cut(BEGINNING, chat="messages" in asked).rest(request)
    assert rest is not None
    # The beginning is the last that it was given, as its own: no new turn is opened after it.
    body = {"model": server.engine.model, "prompt": BEGINNING, "add_special_tokens": False}
    tokens = server.ask("/tokenize", method="POST", body=body).json["count"]
    assert tokens > 1
    assert _given(server, path, rest) - _given(server, path, request) == tokens


def _given(server: Server, path: str, request: dict[str, Any]) -> int:
    answer = server.ask(path, method="POST", body=request)
    assert answer.status == 200, answer.text
    assert answer.json["usage"]["completion_tokens"] == request["max_tokens"]
    return int(answer.json["usage"]["prompt_tokens"])


def _cut(beginning: str, *, chat: bool) -> Said:
    said = Said()
    part = {"delta": SimpleNamespace(content=beginning)} if chat else {"text": beginning}
    said.add(SimpleNamespace(id="1", created=1, choices=[SimpleNamespace(index=0, **part)]))
    return said
