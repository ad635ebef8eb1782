"""Every flag that a stack renders, as vLLM's own parser reads it: also those that only GPUs use."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from bootstrap.vllm import Vllm
from tests.vllm.command_lines import command_lines

_SCRIPT = Path(__file__).with_name("parse_flags.py")


def test_the_parser_of_this_version_takes_every_flag_that_is_rendered(
    vllm: Vllm, tmp_path: Path
) -> None:
    template = tmp_path / "template.jinja"
    template.write_text("{{ messages }}", encoding="utf-8")
    lines = [[in_a_container(word, template) for word in words] for _, words in command_lines()]
    problems = parsed(vllm, tmp_path, lines)
    assert {problem for problem in problems if problem} == set()
    assert len(problems) == len(lines) > 40


def in_a_container(word: str, template: Path) -> str:
    """Replaces what only the image, a mount, or Kubernetes has: templates, and variables."""
    if word.startswith("--chat-template=/"):
        return f"--chat-template={template}"
    return re.sub(r"\$\(LWS_WORKER_INDEX\)", "1", word)


@pytest.mark.parametrize("word", ["--no-such-flag", "--max-model-len=many", "--runner=other"])
def test_the_parser_refuses_what_vllm_does_not_have(vllm: Vllm, tmp_path: Path, word: str) -> None:
    # So the test above can fail.
    [problem] = parsed(vllm, tmp_path, [["/weights/x", word]])
    assert word.partition("=")[0] in problem


def parsed(vllm: Vllm, folder: Path, lines: list[list[str]]) -> list[str]:
    """Returns what vLLM's parser says of command lines."""
    answer = subprocess.run(
        [vllm.python, _SCRIPT],
        input=json.dumps(lines),
        env={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(answer.stdout.splitlines()[-1])
    return found
