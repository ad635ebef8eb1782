# a script that vLLM's own Python runs, not a package
"""Runs one of vLLM's parsers on an answer: python parse_answer.py TOKENIZER < JSON on stdin.

The input has `kind` ("tools" or "reasoning"), `parser`, `text` and `tools`; the output is what the
parser makes of it, as JSON in the last line.
"""

from __future__ import annotations

import json
import sys

from transformers import AutoTokenizer  # type: ignore[import-not-found]  # in vLLM's environment
from vllm.entrypoints.openai.chat_completion.protocol import (  # type: ignore[import-not-found]
    ChatCompletionRequest,
)
from vllm.reasoning import ReasoningParserManager  # type: ignore[import-not-found]
from vllm.tool_parsers import ToolParserManager  # type: ignore[import-not-found]

asked = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
request = ChatCompletionRequest(
    model="m", messages=[{"role": "user", "content": "a"}], tools=asked["tools"]
)
if asked["kind"] == "tools":
    parser = ToolParserManager.get_tool_parser(asked["parser"])(tokenizer, request.tools)
    found = parser.extract_tool_calls(asked["text"], request)
    calls = [[call.function.name, call.function.arguments] for call in found.tool_calls]
    answer = {"calls": calls, "content": found.content}
else:
    parser = ReasoningParserManager.get_reasoning_parser(asked["parser"])(tokenizer)
    reasoning, content = parser.extract_reasoning(asked["text"], request)
    answer = {"reasoning": reasoning, "content": content}
sys.stdout.write(json.dumps(answer) + "\n")
