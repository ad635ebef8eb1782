"""The reference of all rules as Markdown, from which docs/policies.md is generated."""

from __future__ import annotations

from pathlib import Path

from breakeven.policy.frameworks import caution, frameworks, open_controls
from breakeven.policy.registry import rules_of
from breakeven.policy.rule import Level, Pack, Rule

_CATALOGUES = (
    "CIS is the Kubernetes Benchmark 1.12, PSS the Pod Security Standards, NSA the NSA "
    "framework with "
    "Kubescape's control numbers, Kubescape its other controls. CIS and NSA numbers were "
    "compared with the lists "
    "of kube-bench and Kubescape on 2026-11-25. A test looks up Checkov's numbers in the pinned "
    "checkov. "
    "Kubescape's other numbers were not checked."
)
_INTRODUCTION = Path(__file__).parent / "data" / "policies.md"


def reference() -> str:
    """Returns the reference."""
    parts = [_INTRODUCTION.read_text(encoding="utf-8")]
    for pack in Pack:
        rules = rules_of([pack])
        parts.append(f"## Pack `{pack}`: {len(rules)} rules\n")
        parts += [_entry(rule) for rule in rules]
    parts.append(_map())
    return "\n".join(parts)


def _entry(rule: Rule) -> str:
    controls = "; ".join(f"{name} {', '.join(found)}" for name, found in rule.controls.items())
    level = "" if rule.level is Level.MANDATORY else f" ({rule.level})"
    lines = [f"### {rule.id}{level}\n", rule.what, "", f"*Fix:* {rule.do}", ""]
    supports = f"theme *{rule.theme}*" + (f"; {controls}" if controls else "")
    return "\n".join([*lines, f"*Supports:* {supports}.", ""])


def _map() -> str:
    lines = [
        "## Frameworks, by theme\n",
        caution(),
        "",
        _CATALOGUES,
        "",
    ]
    for name, themes in frameworks().items():
        lines += [f"### {name}\n", "| theme | controls |", "|---|---|"]
        lines += [f"| {theme} | {', '.join(found)} |" for theme, found in themes.items()]
        lines.append("")
    lines += ["### Controls that no rule supports\n", "| framework | control | what supports it |"]
    lines.append("|---|---|---|")
    lines += [
        f"| {name} | {control} | {answer} |"
        for name, controls in open_controls().items()
        for control, answer in controls.items()
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201  # make policy-docs writes it to the file
