"""What the engine is asked to do follows from how the repository stores the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.recording import Registration

Served: TypeAlias = Callable[..., Registration]

GPT_OSS = {"model.name": "gpt-oss-20b", "model.repository": "openai/gpt-oss-20b"}


def flags(server: Registration) -> dict[str, str]:
    _, *rest = server.engine.container["args"]
    return dict(flag.split("=", 1) for flag in rest if "=" in flag)


def environment(server: Registration) -> dict[str, str]:
    entries = server.engine.container["env"]
    return {item["name"]: item["value"] for item in entries if "value" in item}


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"model.precision": "fp8"}, "fp8"),
        # vLLM refuses the flag for a checkpoint that declares a method of its own.
        ({"model.repository": "RedHatAI/Llama-3.1-8B-FP8-dynamic", "model.precision": "fp8"}, None),
        (GPT_OSS, None),
        ({**GPT_OSS, "model.precision": "int4"}, None),  # as it was stated before
        ({"model.precision": "int4"}, None),
    ],
)
def test_a_quantized_checkpoint_is_not_quantized_again(
    settings: dict[str, str], flag: str | None, served: Served
) -> None:
    assert flags(served("aws-prod", **settings)).get("--quantization") == flag


def test_gpt_oss_finds_its_vocabulary_with_the_weights(served: Served) -> None:
    server = served("aws-prod", **GPT_OSS)
    folder = server.engine.container["args"][0]
    assert environment(server)["TIKTOKEN_ENCODINGS_BASE"] == folder
    assert "TIKTOKEN_ENCODINGS_BASE" not in environment(served("aws-prod"))
    files = [each for each in server.fetching.container["args"] if each.startswith("--file=")]
    assert [each.partition("#sha256=")[1] for each in files] == ["#sha256="] * 2
