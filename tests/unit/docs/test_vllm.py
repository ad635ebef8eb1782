"""The page about vLLM names the flags that only a build for GPUs validates."""

from __future__ import annotations

from breakeven.settings.files import ROOT
from tests.vllm.command_lines import only_on_gpus


def test_the_flags_that_no_cpu_build_validates_are_listed() -> None:
    text = (ROOT / "docs" / "vllm.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` | {fate} |" for name, fate in only_on_gpus().items()]
    table = "\n".join(["| Flag | In tests with the CPU build |", "|---|---|", *rows])
    assert table in text, f"Put this into docs/vllm.md:\n{table}"
