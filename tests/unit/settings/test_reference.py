"""docs/settings.md says what Pulumi.yaml and the code that reads it say."""

from __future__ import annotations

from breakeven.settings.files import ROOT, defaults
from breakeven.settings.reference import groups, reference


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == reference(), "type: make settings-docs"


def test_every_setting_is_in_it_once_in_the_order_of_its_declaration() -> None:
    listed = [line[4:] for line in reference().splitlines() if line.startswith("### ")]
    assert listed == list(defaults())
    assert [key for keys in groups().values() for key in keys] == listed


def test_limits_are_those_that_a_stack_is_judged_by() -> None:
    text = reference()
    for key, allowed in (
        ("tokensPerDay", "1 to "),
        ("pool", "`existing`, `karpenter-aws`"),
        ("gpuMemoryUtilization", "0.50 to 0.95"),
        ("capacityTypes", "reserved, on-demand, spot"),
        ("budgetPerMonth", "or empty"),
    ):
        entry = text.partition(f"### {key}\n")[2].partition("\n### ")[0]
        assert f"allowed: {allowed}" in entry or allowed in entry, entry
