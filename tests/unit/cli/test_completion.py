"""After Tab a shell offers the stacks, models and GPUs that there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.cli.completion import complete_gpu, complete_model, complete_stack
from breakeven.settings.files import stack_names
from tests.unit.cli.running import all_commands


def test_names_that_start_with_what_was_typed_are_offered() -> None:
    assert complete_stack("aw") == ["aws-prod"]
    assert tuple(complete_stack("")) == stack_names()
    assert complete_stack("nope") == []
    assert "llama-3.1-8b-instruct" in complete_model("llama-3.1")
    assert "l40s" in complete_gpu("l4")


@pytest.mark.parametrize(
    "command",
    ["estimate", "diff", "evidence", "recommend", "reconcile", "render", "report", "sensitivity"],
)
def test_every_command_about_a_stack_offers_stacks(command: str) -> None:
    parameters = all_commands().commands[command].params
    [stack] = [item for item in parameters if item.name in {"stack", "stacks"}]
    assert [item.value for item in stack.shell_complete(None, "aw")] == ["aws-prod"]


def test_a_shell_gets_the_names() -> None:
    words = {"COMP_WORDS": "breakeven estimate aw", "COMP_CWORD": "2"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("breakeven"))],
        env={"PATH": "/usr/bin", "_BREAKEVEN_COMPLETE": "complete_bash", **words},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["aws-prod"], done.stderr
