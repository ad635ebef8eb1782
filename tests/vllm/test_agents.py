"""What a trained model writes, as public sources recorded it, through vLLM's own parsers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bootstrap.vllm import Vllm
from breakeven.manifests.serving.parsers import parser_flags
from tests.recording import STACKS, stack_of

_SCRIPT = Path(__file__).with_name("parse_answer.py")


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
