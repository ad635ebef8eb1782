"""The comment on a pull request of every stack, compared with files that a person can read.

`make golden` regenerates them.
"""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.planning.offline import estimate_stack
from breakeven.reports.markdown import markdown
from breakeven.settings.files import stack_names
from tests.golden.one_file import MarkdownFile
from tests.golden.test_golden import TODAY
from tests.recording import settings_of

# As in test_golden.py: people look for the stack's name, not for the test's.
pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")


@pytest.mark.parametrize("stack", stack_names())
def test_reports(stack: str, snapshot: SnapshotAssertion) -> None:
    comment = markdown(estimate_stack(stack, TODAY))
    assert comment == snapshot(extension_class=MarkdownFile, name=stack)


def test_a_stack_without_gpus_has_cpu_nodes_and_no_gpu_nodes() -> None:
    stacks = [stack for stack in stack_names() if settings_of(stack).pool.gpu.is_cpu]
    assert stacks
    for stack in stacks:
        comment = markdown(estimate_stack(stack, TODAY))
        assert "CPU nodes, busy" in comment
        assert re.findall(r"GPU nodes?|The GPUs|no GPU|such GPUs|add GPUs", comment) == []
