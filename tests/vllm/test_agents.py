"""What agents ask of a real vLLM, with the arguments that stacks render: tools, reasoning, schemas.

The model is random, so that it chooses no tool: vLLM's grammar makes it write a call, and what a
trained model writes is taken from public sources and put through the same parsers.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bootstrap.vllm import Vllm
from breakeven.manifests.serving.parsers import parser_flags
from tests.recording import STACKS, stack_of
from tests.vllm.conftest import Start
from tests.vllm.rendered import engines_of
from tests.vllm.server import Server, starting

_SCRIPT = Path(__file__).with_name("parse_answer.py")

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Paris", "Rome"]}, "celsius": {"type": "boolean"}},
            "required": ["city", "celsius"],
            "additionalProperties": False,
        },
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "weather", "schema": TOOL["function"]["parameters"]},  # type: ignore[index]  # a mapping
}
CHAT = {"messages": [{"role": "user", "content": "a"}], "max_tokens": 200, "temperature": 0}
# A random model that thinks never ends to, and the grammar begins after the thought.
ANSWERS = {"chat_template_kwargs": {"enable_thinking": False}}


class Recorded(NamedTuple):
    """An answer of a trained model, and what a client gets of it."""

    kind: str
    parser: str
    text: str
    expected: Mapping[str, Any]
    source: str


RECORDED = (
    Recorded(
        "tools",
        "hermes",
        '<tool_call>\n{"name": "get_current_temperature", "arguments": {"location": '
        '"San Francisco, CA, USA"}}\n</tool_call>\n<tool_call>\n{"name": "get_temperature_date", '
        '"arguments": {"location": "San Francisco, CA, USA", "date": "2024-10-01"}}\n</tool_call>',
        {
            "calls": [
                ["get_current_temperature", {"location": "San Francisco, CA, USA"}],
                [
                    "get_temperature_date",
                    {"location": "San Francisco, CA, USA", "date": "2024-10-01"},
                ],
            ],
            "content": None,
        },
        "Qwen documentation, Function Calling (qwen.readthedocs.io), read 2026-11-30",
    ),
    Recorded(
        "tools",
        "llama3_json",
        '{"name": "get_current_conditions", "parameters": {"location": "Menlo Park, CA", "unit": '
        '"Fahrenheit"}}',
        {
            "calls": [
                ["get_current_conditions", {"location": "Menlo Park, CA", "unit": "Fahrenheit"}]
            ],
            "content": None,
        },
        "Meta, Llama 3.1 model card and prompt format, JSON based tool calling, read 2026-11-30",
    ),
    Recorded(
        "reasoning",
        "qwen3",
        "<think>\nOkay, the user said hello.\n</think>\n\nHello! How can I help you today?",
        {
            "reasoning": "\nOkay, the user said hello.\n",
            "content": "\n\nHello! How can I help you today?",
        },
        "form of the answers of the model card of Qwen3-8B (a thought between <think> and "
        "</think>, then the answer), read 2026-11-30",
    ),
)


def parsers_of_stacks() -> set[tuple[str, str]]:
    """Returns kind and name of each parser that a shipped stack renders."""
    kinds = {"--tool-call-parser": "tools", "--reasoning-parser": "reasoning"}
    return {
        (kinds[name], parser)
        for stack in STACKS
        for model in stack_of(stack).models
        for flag in parser_flags(model)
        for name, _, parser in [flag.partition("=")]
        if name in kinds
    }


def test_an_answer_is_recorded_for_every_parser_of_the_shipped_stacks() -> None:
    assert parsers_of_stacks() == {(each.kind, each.parser) for each in RECORDED}


@pytest.mark.parametrize("recorded", RECORDED, ids=[each.parser for each in RECORDED])
def test_a_parser_makes_of_a_recorded_answer_what_a_client_expects(
    recorded: Recorded, vllm: Vllm, tmp_path: Path
) -> None:
    names = [name for name, _ in recorded.expected.get("calls", [])]
    asked = {
        "kind": recorded.kind,
        "parser": recorded.parser,
        "text": recorded.text,
        "tools": [{"type": "function", "function": {"name": name}} for name in names or ["none"]],
    }
    answer = subprocess.run(
        [vllm.python, _SCRIPT, vllm.model],
        input=json.dumps(asked),
        env={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(answer.stdout.splitlines()[-1])
    if "calls" in found:
        found["calls"] = [[name, json.loads(arguments)] for name, arguments in found["calls"]]
    assert found == recorded.expected


@pytest.fixture(scope="module", params=["two-models, qwen3-14b", "dev"])
def server(
    request: pytest.FixtureRequest, vllm: Vllm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A replica with both parsers, and one with only the parser of tool calls."""
    stack, _, model = request.param.partition(", ")
    engine = next(each for each in engines_of(stack) if model in ("", each.model))
    with starting(engine, vllm, tmp_path_factory.mktemp("replica")) as started:
        started.wait_until_ready()
        yield started


def asked(server: Server, **further: object) -> Any:
    body = {"model": server.engine.model, **CHAT, **further}
    answer = server.ask("/v1/chat/completions", method="POST", body=body)
    assert answer.status == 200, answer.text
    return answer.json["choices"][0]["message"]


def no_spaces(vllm: Vllm) -> dict[str, object]:
    """Keeps the random model from writing spaces forever, which JSON allows anywhere."""
    tokenizer = json.loads((vllm.model / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    return {"logit_bias": {str(vocabulary[each]): -100 for each in ("Ġ", "Ċ", "ĉ", "č")}}


def test_tools_may_be_chosen_or_not(server: Server) -> None:
    # Without the parser vLLM answers 400 to it.
    message = asked(server, tools=[TOOL], tool_choice="auto")
    assert message.get("tool_calls") in (None, [])


def test_a_tool_call_that_is_asked_for_arrives_as_one(server: Server, vllm: Vllm) -> None:
    choice = {"type": "function", "function": {"name": "get_weather"}}
    message = asked(server, tools=[TOOL], tool_choice=choice, **ANSWERS, **no_spaces(vllm))
    [call] = message["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert _is_weather(call["function"]["arguments"])


def test_an_answer_keeps_the_schema_that_is_asked_for(server: Server, vllm: Vllm) -> None:
    message = asked(server, response_format=SCHEMA, **ANSWERS, **no_spaces(vllm))
    assert _is_weather(message["content"])


def test_what_the_model_thinks_is_apart_from_its_answer(server: Server) -> None:
    message = asked(server)
    thinks = "--reasoning-parser=qwen3" in server.engine.container["args"]
    assert bool(message.get("reasoning")) == thinks
    assert bool(message["content"]) != thinks


def test_proposed_tokens_are_checked_and_counted(start: Start) -> None:
    settings = {"engine.speculation.method": "ngram", "engine.maxRequests": 64}
    server = start("dev", **settings)
    server.wait_until_ready()
    assert asked(server, ignore_eos=True)["content"]
    [line] = [
        line
        for line in server.ask("/metrics", key="").text.splitlines()
        if line.startswith("vllm:spec_decode_num_draft_tokens_total")
    ]
    assert float(line.rpartition(" ")[2]) > 0
    # vLLM refuses what docs/vllm.md says it refuses.
    body = {"model": server.engine.model, **CHAT, "logit_bias": {"10": 1}}
    assert server.ask("/v1/chat/completions", method="POST", body=body).status == 400


def _is_weather(text: str) -> bool:
    found = json.loads(text)
    return found.keys() == {"city", "celsius"} and found["city"] in {"Paris", "Rome"}
