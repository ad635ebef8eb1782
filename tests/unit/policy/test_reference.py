"""docs/policies.md says what the rules say."""

from __future__ import annotations

from breakeven.policy.reference import reference
from breakeven.policy.registry import RULES
from breakeven.settings.files import ROOT


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert written == reference(), "type: make policy-docs"


def test_every_rule_is_in_it_and_the_readme_counts_right() -> None:
    text = reference()
    assert all(f"### {rule.id}" in text for rule in RULES)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(RULES)} policy rules" in readme
